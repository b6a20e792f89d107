import type { Timers } from '../../shared/clock.ts';

/** Turns of the microtask queue that count as "everything that could happen without time has". */
const SETTLE_TURNS = 200;

/** Time that stands still until a test moves it. */
export class VirtualTime implements Timers {
  #nowMs: number;
  #next = 0;
  readonly #timers = new Map<number, { atMs: number; run: () => void }>();

  constructor(startMs = 1_000_000) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const id = this.#next++;
    this.#timers.set(id, { atMs: this.#nowMs + delayMs, run });
    return () => this.#timers.delete(id);
  }

  /** Milliseconds until each timer, the next first. */
  get pending(): number[] {
    return [...this.#timers.values()].map((timer) => timer.atMs - this.#nowMs).sort((a, b) => a - b);
  }

  /** Lets time pass, each timer at its moment; timers of the same moment in the order in which they were set. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await this.settle();
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.atMs <= endMs);
      const first = due.sort(([a, x], [b, y]) => x.atMs - y.atMs || a - b)[0];
      if (!first) break;
      const [id, timer] = first;
      this.#timers.delete(id);
      this.#nowMs = Math.max(this.#nowMs, timer.atMs);
      timer.run();
      await this.settle();
    }
    this.#nowMs = endMs;
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < SETTLE_TURNS; turn += 1) await Promise.resolve();
  }
}
