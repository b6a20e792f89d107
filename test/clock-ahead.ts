import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../runner/host/run.ts';

const SOURCE = join(import.meta.dirname, 'clock-ahead.c');

/** A clock for other processes, that is as far ahead of this one's as a test says, or behind it. */
export interface ClockAhead {
  /** What a process must be started with; all that it starts has this clock, too. */
  env: Record<string, string>;
  /** What those processes take for the time. */
  nowMs(): number;
  /** Sets the clock: a jump, at once, for all that run. */
  setTo(atMs: number): void;
  close(): void;
}

/** Makes a clock that is not ahead yet. */
export async function openClockAhead(): Promise<ClockAhead> {
  const folder = mkdtempSync(join(tmpdir(), 'aerostat-clock-'));
  const library = join(folder, 'clock-ahead.so');
  await run('gcc', ['-O2', '-shared', '-fPIC', '-Wall', '-Werror', '-o', library, SOURCE]);
  const file = join(folder, 'ahead');
  const fd = openSync(file, 'w+');
  let aheadMs = 0;
  const set = (ms: number) => {
    aheadMs = ms;
    const text = Buffer.alloc(8);
    text.writeBigInt64LE(BigInt(ms));
    writeSync(fd, text, 0, text.length, 0);
  };
  set(0);
  return {
    env: { LD_PRELOAD: library, CLOCK_AHEAD_FILE: file },
    nowMs: () => Date.now() + aheadMs,
    setTo: (atMs) => set(Math.round(atMs - Date.now())),
    close: () => {
      closeSync(fd);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
