import { setTimeout as delay } from 'node:timers/promises';

/** How often a condition is looked at when nothing else is said. */
const POLL_EVERY_MS = 50;

/** Sleeps, unless the signal ends it: then it returns at once. */
export async function pause(delay_ms: number, signal?: AbortSignal): Promise<void> {
  await delay(delay_ms, undefined, signal ? { signal } : {}).catch(() => {});
}

/**
 * Looks at a condition until it answers something other than false, null or undefined.
 * Answers null when the time is over or the signal fires.
 */
export async function until<T>(
  condition: () => Promise<T | false | null | undefined> | T | false | null | undefined,
  options: { timeout_ms: number; every_ms?: number; signal?: AbortSignal },
): Promise<T | null> {
  const deadline = performance.now() + options.timeout_ms;
  while (!options.signal?.aborted) {
    const answer = await condition();
    if (answer !== false && answer !== null && answer !== undefined) return answer;
    if (performance.now() >= deadline) return null;
    await pause(options.every_ms ?? POLL_EVERY_MS, options.signal);
  }
  return null;
}

/** Runs tasks of one key one after the other; tasks of different keys run side by side. */
export class KeyedQueue {
  readonly #tails = new Map<string, Promise<unknown>>();

  run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const call = before.then(task, task);
    const tail = call.catch(() => {});
    this.#tails.set(key, tail);
    tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    return call;
  }
}

/** Makes a task that runs once at a time; calls that come meanwhile share one more run, that begins after them. */
export function gathered(task: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  const call = (): Promise<void> => {
    if (!running) {
      running = task().finally(() => {
        running = null;
      });
      return running;
    }
    next ??= running
      .catch(() => {})
      .then(() => {
        next = null;
        return call();
      });
    return next;
  };
  return call;
}

/**
 * Does at once for many what is asked for one at a time: while a task runs, what is asked for waits and goes together
 * afterwards. Where many fail each is done by itself, so that one does not fail for another.
 * @throws what the task throws for the one
 */
export function together<T>(task: (items: T[]) => Promise<void>): (item: T) => Promise<void> {
  let waiting: { item: T; resolve: () => void; reject: (error: unknown) => void }[] = [];
  const round = gathered(async () => {
    const all = waiting;
    waiting = [];
    try {
      await task(all.map(({ item }) => item));
      for (const { resolve } of all) resolve();
    } catch (error) {
      if (all.length === 1) all[0]?.reject(error);
      else for (const { item, resolve, reject } of all) await task([item]).then(resolve, reject);
    }
  });
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      void round();
    });
}
