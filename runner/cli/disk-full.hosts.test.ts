import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startEdge } from '../testing/live-runner.ts';
import { RunnerProcess } from '../testing/runner-process.ts';
import { groupOf, id, serverOf } from '../testing/specs.ts';

const SIZE = '1m';

/** A file system of a megabyte. */
function tinyDisk(): string {
  const path = mkdtempSync(join(tmpdir(), 'aerostat-tiny-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=0700`, 'aerostat-test', path]);
  onTestFinished(() => {
    execFileSync('umount', ['-l', path]);
    rmdirSync(path);
  });
  return path;
}

/** Takes up all that is left of a disk. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (const size of [4096, 64]) {
      const chunk = Buffer.alloc(size);
      try {
        for (;;) writeSync(file, chunk);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  } finally {
    closeSync(file);
  }
}

it('a full disk holds up what is new, harms nothing that is there, and is forgotten once there is room', async () => {
  const disk = tinyDisk();
  const edge = await startEdge();
  const runner = new RunnerProcess([
    ...['join', edge.url, 'token', '--hypervisor', 'simulated'],
    ...['--state', join(disk, 'state'), '--log-level', 'debug'],
  ]);
  await edge.want([{ kind: 'server', id: id(1), spec: serverOf(1) }]);
  await edge.until('a guest', () => edge.observation('server', id(1))?.state === 'running' && edge.converged);

  fill(join(disk, 'filler'));
  const many = Array.from({ length: 300 }, (_, index) => {
    const spec = { ...groupOf(1), id: id(1000 + index) };
    return { kind: 'security-group', id: spec.id, spec };
  });
  await edge.want(many);
  const refused = await runner.logged('ledger-write-failed', { what: 'desired state' });
  expect(refused).toMatchObject({ level: 'error' });
  await edge.until('another try', () => edge.heard('resync').length >= 2);
  expect(many.some((one) => edge.observation(one.kind, one.id))).toBe(false);
  edge.live?.send({ type: 'query', query_id: 'q', kind: 'console', target_id: id(1), args: {} });
  await edge.until('an answer', () => edge.heard('answer').some((one) => one.ok));
  edge.operate({ op_id: 'op', target_id: id(1) });
  await edge.until('the end of an operation', () => edge.operations.get('op')?.ended);

  rmSync(join(disk, 'filler'));
  await edge.until('all reports', () => edge.converged);
  expect(edge.sessions.filter((one) => one.epoch > 0)).toHaveLength(1);
  expect(edge.observation('server', id(1))).toMatchObject({ state: 'running', generation: 1 });
});
