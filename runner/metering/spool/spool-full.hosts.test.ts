import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { randomIds } from '../../../shared/ids.ts';
import { capturedLog } from '../../testing/captured-log.ts';
import { MeteredReceiver } from '../../testing/metered-receiver.ts';
import { Spool } from './spool.ts';

const BYTES = 1024 * 1024;

/** A file system of a megabyte. */
function tinyDisk(): string {
  const path = mkdtempSync(join(tmpdir(), 'aerostat-tiny-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${BYTES},mode=0700`, 'aerostat-test', path]);
  onTestFinished(() => {
    execFileSync('umount', ['-l', path]);
    rmdirSync(path);
  });
  return path;
}

it('a disk without room refuses a sample whole, keeps what is there, and takes samples again once there is room', () => {
  const disk = tinyDisk();
  const spool = new Spool({
    path: join(disk, 'meters.db'),
    clock: { nowMs: () => 0 },
    ids: randomIds,
    log: capturedLog(),
  });
  const append = (at: number) => {
    const samples = ['a', 'b'].map((id) => ({ type: 'server', id, epoch: 'e', values: { 'cpu.time': at } }));
    spool.append(at, 'boot', samples);
  };
  append(1);
  append(2);
  const filler = join(disk, 'filler');
  const fill = () => writeFileSync(filler, Buffer.alloc(BYTES));
  expect(fill).toThrow(/ENOSPC/);
  const refused: unknown[] = [];
  for (let at = 3; at <= 40; at++) {
    try {
      append(at);
    } catch (error) {
      refused.push(error);
    }
  }
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]).toMatchObject({ problem: 'full' });
  const kept = spool.batches;
  rmSync(filler);
  append(41);
  expect(spool.batches).toBe(kept + 1);
  const receiver = new MeteredReceiver();
  for (;;) {
    const batches = spool.next();
    if (batches.length === 0) break;
    const ack = receiver.take({ type: 'metered', spool_id: spool.id, batches });
    spool.acked(ack.spool_id, ack.seq);
  }
  spool.close();
  for (const id of ['a', 'b']) expect(receiver.told.sum(id, 'cpu.time')).toBe(41);
  expect(receiver.times.slice(0, 2)).toEqual([1, 2]);
});
