import { readFileSync, rmSync } from 'node:fs';
import { z } from 'zod';
import { identify, isAlive } from '../runner/host/processes.ts';
import { writeAtomically } from '../runner/state/write-atomically.ts';

const running = z.object({ pid: z.int(), startTicks: z.int(), url: z.string(), mark: z.string() });
type Running = z.infer<typeof running>;

/** What last ran from a state folder, and whether it still does; null when that is not known. */
export async function readRunning(file: string): Promise<{ alive: boolean; record: Running } | null> {
  let record: Running;
  try {
    record = running.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
  return { alive: await isAlive(record), record };
}

/** Says that this process runs from the state folder. */
export async function writeRunning(file: string, what: { url: string; mark: string }): Promise<void> {
  const self = await identify(process.pid);
  writeAtomically(file, `${JSON.stringify({ ...self, ...what })}\n`);
}

/** Says that nothing runs from the state folder any more. */
export function forgetRunning(file: string): void {
  rmSync(file, { force: true });
}
