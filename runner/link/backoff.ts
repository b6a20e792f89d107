import { RECONNECT_MAX_MS, RECONNECT_MIN_MS } from '../../shared/limits.ts';

/** How long to wait before the next attempt: full jitter in a window that doubles, so that a fleet spreads out. */
export class Backoff {
  readonly #random: () => number;
  #attempts = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Attempts since the last healthy session. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Milliseconds to wait; what the edge asked for comes before the window. */
  next(retryAfterMs = 0): number {
    const windowMs = Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * 2 ** Math.min(this.#attempts, 30));
    this.#attempts += 1;
    return Math.round(retryAfterMs + this.#random() * windowMs);
  }

  reset(): void {
    this.#attempts = 0;
  }
}
