import { pause } from '../runner/host/wait.ts';
import { Refusal } from '../shared/refusal.ts';

const POLL_MS = 20;

/**
 * Waits until a condition holds; an error of the condition counts as "not yet", but a Refusal ends the wait.
 * @throws Error that names what was waited for, with the last error as its cause
 */
export async function until(what: string, timeout_ms: number, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + timeout_ms;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      if (await condition()) return;
    } catch (error) {
      if (error instanceof Refusal) throw error;
      last = error;
    }
    await pause(POLL_MS);
  }
  throw new Error(`waited ${timeout_ms / 1000} s in vain for ${what}.`, { cause: last });
}
