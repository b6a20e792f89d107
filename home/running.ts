import { readFileSync, rmSync } from 'node:fs';
import { z } from 'zod';
import { writePrivately } from './write-privately.ts';

const running = z.object({ pid: z.int(), startTicks: z.string(), url: z.string(), mark: z.string() });
export type Running = z.infer<typeof running>;

/** When a process began, as the kernel counts; tells it from a later one with the same id. Null: no such process. */
export function startTicks(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

/** What runs from a state folder; null when nothing does. `mark` is known even then, from the last start. */
export function readRunning(file: string): { alive: boolean; record: Running } | null {
  let record: Running;
  try {
    record = running.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
  return { alive: startTicks(record.pid) === record.startTicks, record };
}

/** Says that this process runs from the state folder. */
export function writeRunning(file: string, what: { url: string; mark: string }): void {
  writePrivately(file, `${JSON.stringify({ pid: process.pid, startTicks: startTicks(process.pid) ?? '', ...what })}\n`);
}

export function forgetRunning(file: string): void {
  rmSync(file, { force: true });
}
