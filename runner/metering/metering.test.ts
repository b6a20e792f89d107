import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { randomIds } from '../../shared/ids.ts';
import type { RunnerMessageOf } from '../../shared/protocol/messages.ts';
import { StoreError } from '../state/store.ts';
import { capturedLog } from '../testing/captured-log.ts';
import { MeteredReceiver } from '../testing/metered-receiver.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { VirtualTime } from '../testing/virtual-time.ts';
import { Metering } from './metering.ts';
import { Spool } from './spool/spool.ts';

const YEAR_MS = 365 * 86_400_000;
const HOUR_MS = 3_600_000;

/** Its machine's one counter rises by one each sample. */
function setUp(o: { wallAheadMs?: number; path?: string } = {}) {
  const edgeNow = new VirtualTime(10 * YEAR_MS);
  const time = { ...wallOf(edgeNow, o.wallAheadMs ?? 0) };
  const log = capturedLog();
  const path = o.path ?? join(temporaryFolder(), 'meters.db');
  const spool = new Spool({ path, clock: time, ids: randomIds, log });
  const sent: RunnerMessageOf<'metered'>[] = [];
  let isUp = false;
  let value = 0;
  let kept = 0;
  const metering = new Metering({
    collectors: [
      {
        name: 'one',
        collect: async () => [{ type: 'server', id: 's', epoch: 'e', values: { 'cpu.time': ++value } }],
        kept: async () => void kept++,
      },
    ],
    spool,
    time,
    monotonicMs: () => edgeNow.nowMs() - 9 * YEAR_MS,
    log,
    bootId: 'b',
    send: (message) => {
      if (!isUp) return null;
      sent.push(message as RunnerMessageOf<'metered'>);
      return sent.length;
    },
  });
  const connect = () => {
    isUp = true;
    metering.edgeTime(edgeNow.nowMs());
    metering.ready();
  };
  const disconnect = () => {
    isUp = false;
    metering.down();
  };
  const ack = (of = sent.at(-1)) => {
    if (of) metering.acked({ type: 'metered-ack', spool_id: of.spool_id, seq: of.batches.at(-1)?.seq ?? 0 });
  };
  const times = () => sent.flatMap((message) => message.batches.map((batch) => batch.at_ms));
  return { edgeNow, metering, spool, path, log, sent, connect, disconnect, ack, times, kept: () => kept };
}

function wallOf(time: VirtualTime, aheadMs: number) {
  return { nowMs: () => time.nowMs() + aheadMs, after: (ms: number, run: () => void) => time.after(ms, run) };
}

describe('metering', () => {
  it('sends each sample, one message at a time', async () => {
    const { metering, edgeNow, sent, connect, ack } = setUp();
    connect();
    metering.start();
    await edgeNow.pass(35_000);
    expect(sent.map((one) => one.batches.length)).toEqual([1]);
    ack();
    expect(sent.map((one) => one.batches.length)).toEqual([1, 3]);
    ack();
    await edgeNow.pass(10_000);
    expect(sent.map((one) => one.batches.map((batch) => batch.seq))).toEqual([[1], [2, 3, 4], [5]]);
    await metering.stop();
  });

  it('says again what was not acknowledged, in the next session at once, in this one ever more seldom', async () => {
    const { metering, edgeNow, sent, connect, disconnect } = setUp();
    connect();
    metering.start();
    await edgeNow.pass(1_000);
    expect(sent).toHaveLength(1);
    disconnect();
    connect();
    expect(sent).toHaveLength(2);
    expect(sent[1]).toEqual(sent[0]);
    await edgeNow.pass(3 * HOUR_MS);
    // After 1, 2, 4 ... 32 minutes, and then each hour.
    expect(sent.length).toBeLessThan(12);
    expect(new Set(sent.map((one) => JSON.stringify(one))).size).toBe(1);
    await metering.stop();
  });

  it('puts right the times of what a machine read whose clock is a year wrong, before the edge was heard', async () => {
    const { metering, edgeNow, connect, ack, times, path } = setUp({ wallAheadMs: -YEAR_MS });
    const startMs = edgeNow.nowMs();
    metering.start();
    await edgeNow.pass(30_000);
    connect();
    ack();
    await edgeNow.pass(20_000);
    ack();
    expect(times()).toEqual([0, 1, 2, 3, 4, 5].map((at) => startMs + at * 10_000));
    await metering.stop();
    // The next process knows from the start.
    const later = setUp({ wallAheadMs: -YEAR_MS, path });
    later.metering.start();
    await later.edgeNow.pass(5_000);
    later.connect();
    later.ack();
    expect(later.times().at(-1)).toBe(later.edgeNow.nowMs() - 5_000);
    await later.metering.stop();
  });

  it('holds in memory what the disk has no room for, loses nothing of it, and says so once', async () => {
    const { metering, edgeNow, spool, log, kept, connect, sent, ack } = setUp();
    const append = spool.append.bind(spool);
    spool.append = () => {
      throw new StoreError('full', 'no room');
    };
    metering.start();
    await edgeNow.pass(30_000);
    expect(kept()).toBe(0);
    spool.append = append;
    await edgeNow.pass(10_000);
    expect(kept()).toBe(1);
    expect(log.events()).toEqual(['samples-not-written']);
    connect();
    const receiver = new MeteredReceiver();
    for (const one of sent) receiver.take(one);
    ack();
    expect(receiver.told.sum('s', 'cpu.time')).toBe(5);
    await metering.stop();
  });
});
