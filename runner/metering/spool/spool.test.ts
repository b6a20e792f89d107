import { randomBytes } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { randomIds } from '../../../shared/ids.ts';
import type { Sample } from '../../../shared/protocol/messages.ts';
import { Store } from '../../state/store.ts';
import { capturedLog } from '../../testing/captured-log.ts';
import { MeteredReceiver } from '../../testing/metered-receiver.ts';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import { Spool, type SpoolOptions } from './spool.ts';

const S = 1_000;
const DAY_MS = 86_400_000;
const counter = (value: number, change: Partial<Sample> = {}): Sample => ({
  type: 'port',
  id: 'p',
  epoch: 'e1',
  values: { 'network.incoming.bytes': value },
  ...change,
});
const METER = 'network.incoming.bytes';

function open(path = join(temporaryFolder(), 'meters.db'), change: Partial<SpoolOptions> = {}) {
  const log = capturedLog();
  const spool = new Spool({ path, clock: { nowMs: () => 0 }, ids: randomIds, log, ...change });
  return { spool, path, log };
}
const message = (spool: Spool, batchesMax?: number) => ({
  type: 'metered',
  spool_id: spool.id,
  batches: spool.next(batchesMax),
});

/** Sends everything there is, each message acknowledged. */
function drain(spool: Spool, receiver: MeteredReceiver): void {
  for (;;) {
    const next = message(spool);
    if (next.batches.length === 0) return;
    const ack = receiver.take(next);
    spool.acked(ack.spool_id, ack.seq);
  }
}

describe('the spool', () => {
  it('numbers batches as they are sent, keeps them until they are acknowledged, and says them again alike', () => {
    const { spool } = open();
    for (let at = 1; at <= 5; at++) spool.append(at * 10 * S, 'b', [counter(at)]);
    const first = message(spool, 2);
    expect(first.batches.map((one) => [one.seq, one.at_ms, one.boot_id])).toEqual([
      [1, 10_000, 'b'],
      [2, 20_000, 'b'],
    ]);
    expect(message(spool)).toEqual(first);
    spool.acked(spool.id, 1);
    expect(message(spool).batches).toEqual(first.batches.slice(1));
    spool.acked(spool.id, 2);
    expect(message(spool).batches.map((one) => one.seq)).toEqual([3, 4, 5]);
    spool.acked(spool.id, 5);
    expect(message(spool).batches).toEqual([]);
    expect(spool.batches).toBe(0);
  });

  it('has after a start what it had before the end, under the same name and numbers', () => {
    const { spool, path } = open();
    for (let at = 1; at <= 3; at++) spool.append(at, 'b', [counter(at)]);
    const sent = message(spool, 2);
    spool.acked(spool.id, 1);
    spool.close();
    const after = open(path).spool;
    expect(after.id).toBe(sent.spool_id);
    expect(message(after).batches).toEqual(sent.batches.slice(1));
    after.acked(after.id, 2);
    expect(message(after).batches.map((one) => one.seq)).toEqual([3]);
  });

  it('takes acknowledgements that are lost, doubled, late or of another spool', () => {
    const { spool } = open();
    for (let at = 1; at <= 4; at++) spool.append(at, 'b', [counter(at)]);
    message(spool, 3);
    spool.acked('another', 3);
    expect(spool.batches).toBe(4);
    spool.acked(spool.id, 3);
    spool.acked(spool.id, 3);
    spool.acked(spool.id, 1);
    expect(message(spool).batches.map((one) => one.seq)).toEqual([4]);
  });

  it('begins a new spool, and loses nothing, where more is acknowledged than was sent: it is an old copy', () => {
    const { spool, path } = open();
    const receiver = new MeteredReceiver();
    spool.append(1, 'b', [counter(10)]);
    drain(spool, receiver);
    spool.close();
    copyFileSync(path, `${path}.copy`);
    const ahead = open(path).spool;
    for (let at = 2; at <= 6; at++) ahead.append(at, 'b', [counter(at * 10)]);
    drain(ahead, receiver);
    ahead.close();
    copyFileSync(`${path}.copy`, path);
    const { spool: old, log } = open(path);
    old.append(7, 'b', [counter(70)]);
    const ack = receiver.take(message(old));
    expect(ack.seq).toBe(6);
    old.acked(ack.spool_id, ack.seq);
    expect(log.events()).toContain('spool-is-an-old-copy');
    expect(old.id).not.toBe(ack.spool_id);
    drain(old, receiver);
    expect(receiver.told.sum('p', METER)).toBe(70);
  });

  it('moves a torn file aside, says so, and goes on under a new name', () => {
    const { spool, path } = open();
    for (let at = 1; at <= 50; at++) spool.append(at, 'b', [counter(at, { id: `port-${at}` })]);
    const { id } = spool;
    spool.close();
    writeFileSync(path, 'no database at all, but long enough that it could be one'.repeat(100));
    const { spool: after, log } = open(path);
    expect(after.id).not.toBe(id);
    expect(after.batches).toBe(0);
    expect(log.events()).toContain('spool-corrupt');
    expect(readdirSync(join(path, '..')).some((name) => name.includes('.corrupt-'))).toBe(true);
    after.append(60, 'b', [counter(60)]);
    expect(message(after).batches).toHaveLength(1);
  });

  it('goes on with a new file where the old one is torn while it is open', () => {
    const { spool, path } = open();
    // More than SQLite holds in memory.
    const large = () => Array.from({ length: 1_000 }, (_, at) => counter(at, { id: randomBytes(60).toString('hex') }));
    for (let at = 1; at <= 60; at++) spool.append(at, 'b', large());
    const { id } = spool;
    spool.close();
    const { spool: torn, log } = open(path);
    const file = openSync(path, 'r+');
    const junk = Buffer.alloc(4096, 'x');
    for (let at = 4096; at < fstatSync(file).size; at += 4096) writeSync(file, junk, 0, 4096, at);
    closeSync(file);
    expect(() => {
      for (let at = 61; ; at++) {
        torn.append(at, 'b', large());
        for (const { seq } of torn.next()) torn.acked(torn.id, seq);
      }
    }).toThrow(/damaged/);
    expect(log.events()).toContain('spool-corrupt');
    expect(torn.id).not.toBe(id);
    torn.append(99, 'b', [counter(99)]);
    expect(torn.next()).toMatchObject([{ seq: 1, at_ms: 99 }]);
  });

  it('splits a moment that is too large for a message, and no sample is lost', () => {
    const { spool } = open();
    const many = Array.from({ length: 5_000 }, (_, at) => counter(at, { id: `00000000-0000-4000-8000-${at}` }));
    spool.append(10, 'b', many);
    const receiver = new MeteredReceiver();
    drain(spool, receiver);
    expect(receiver.times.length).toBeGreaterThan(1);
    expect(new Set(receiver.times)).toEqual(new Set([10]));
    for (const at of [0, 1, 4_999]) expect(receiver.told.sum(`00000000-0000-4000-8000-${at}`, METER)).toBe(at);
  });

  it('puts times right that were a guess, and only those of this process', () => {
    const { spool, path } = open();
    spool.append(1_000, 'b', [counter(1)]);
    spool.close();
    const after = open(path).spool;
    after.append(2_000, 'b', [counter(2)]);
    after.moveTimes(5_000);
    expect(after.next().map((one) => one.at_ms)).toEqual([1_000, 7_000]);
  });
});

describe('a spool that is full', () => {
  const bytesMax = 40_000;
  const fill = (spool: Spool, count: number) => {
    for (let at = 0; at < count; at++)
      spool.append(at * 10 * S, 'b', [
        counter(at),
        // One that lives for a while only, and ends between two moments that stay.
        counter(at, { id: 'short', epoch: `e${Math.floor(at / 7)}`, values: { [METER]: at % 7 } }),
      ]);
  };

  it('thins the oldest and loses no usage, keeps the first and the newest, and stays within its bounds', () => {
    const { spool, log } = open(undefined, { bytesMax });
    const count = 2_000;
    fill(spool, count);
    expect(spool.bytes).toBeLessThanOrEqual(bytesMax);
    expect(log.events()).toContain('spool-thinned');
    const receiver = new MeteredReceiver();
    drain(spool, receiver);
    expect(receiver.told.sum('p', METER)).toBe(count - 1);
    expect(receiver.told.sum('short', METER)).toBe(Math.floor(count / 7) * 6 + ((count - 1) % 7));
    expect(receiver.times[0]).toBe(0);
    expect(receiver.times.at(-1)).toBe((count - 1) * 10 * S);
    // Ever less of what is older, and of the oldest the bounds of hours.
    const between = receiver.times.slice(1).map((ms, at) => ms - (receiver.times[at] ?? 0));
    expect(Math.max(...between.slice(-20))).toBeLessThanOrEqual(60_000);
    expect(Math.max(...between)).toBeLessThanOrEqual(3_600_000);
    expect(receiver.times.filter((ms) => ms % 3_600_000 === 0)).toHaveLength(Math.ceil((count * 10) / 3600));
  });

  it('never thins what was sent', () => {
    const { spool } = open(undefined, { bytesMax });
    fill(spool, 20);
    const sent = message(spool, 20);
    fill(spool, 1_000);
    expect(message(spool)).toEqual(sent);
  });

  it('keeps two moments however small it must be', () => {
    const { spool } = open(undefined, { bytesMax: 1 });
    fill(spool, 50);
    expect(spool.batches).toBe(2);
    const receiver = new MeteredReceiver();
    drain(spool, receiver);
    expect(receiver.told.sum('p', METER)).toBe(49);
  });

  it('ends what is too old in the next that is not', () => {
    const { spool } = open(undefined, { daysMax: 2 });
    for (let day = 0; day < 10; day++) spool.append(day * DAY_MS, 'b', [counter(day, { epoch: `e${day}` })]);
    expect(spool.batches).toBe(3);
    const receiver = new MeteredReceiver();
    drain(spool, receiver);
    expect(receiver.told.sum('p', METER)).toBe(45);
    expect(receiver.times).toEqual([7, 8, 9].map((day) => day * DAY_MS));
  });
});

describe('a crash', () => {
  it('between any two writes loses nothing that was kept, and doubles nothing', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'meters.db');
    const receiver = new MeteredReceiver();
    const crashes: { path: string; receiver: MeteredReceiver; kept: number }[] = [];
    let kept = 0;
    const crash = () => {
      const copy = join(folder, `crash-${crashes.length}.db`);
      for (const end of ['', '-wal']) if (existsSync(path + end)) copyFileSync(path + end, copy + end);
      crashes.push({ path: copy, receiver: receiver.copy(), kept });
    };
    const prepare = Store.prototype.prepare;
    const spy = vi.spyOn(Store.prototype, 'prepare').mockImplementation(function (this: Store, sql) {
      const statement = prepare.call(this, sql);
      if (!/^(INSERT|UPDATE|DELETE)/.test(sql)) return statement;
      return {
        all: (args) => statement.all(args),
        run: (args) => {
          crash();
          const done = statement.run(args);
          crash();
          return done;
        },
      };
    });
    const { spool } = open(path, { bytesMax: 2_000 });
    for (let at = 1; at <= 40; at++) {
      spool.append(at * 10 * S, 'b', [counter(at), counter(1, { id: 'q', epoch: `e${at}` })]);
      kept = at;
      crash();
      if (at % 9 === 0) {
        const ack = receiver.take(message(spool, 3));
        crash();
        spool.acked(ack.spool_id, ack.seq);
      }
    }
    spool.close();
    spy.mockRestore();
    expect(crashes.length).toBeGreaterThan(200);
    for (const one of crashes) {
      const after = open(one.path).spool;
      drain(after, one.receiver);
      // The one under way may have been written when its transaction ended.
      expect([one.kept, one.kept + 1]).toContain(one.receiver.told.sum('p', METER));
      expect(one.receiver.told.sum('q', METER)).toBe(one.receiver.told.sum('p', METER));
      after.close();
    }
  });
});
