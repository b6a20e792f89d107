import type { Clock } from '../../shared/clock.ts';

/** A word of the edge is this far off at most by its way here; below it the time goes on as it was. */
const JITTER_MS = 1_000;

/**
 * The edge's time, on a clock that nobody sets: the machine's own may jump, or be a year wrong, and changes nothing once the
 * edge has spoken. Before that the machine's own clock counts, plus what the edge was last known to be ahead of it.
 */
export class EdgeTime {
  readonly #monotonicMs: () => number;
  #offsetMs: number;
  #isTold = false;

  /**
   * @param monotonicMs - time from any beginning that never goes back
   * @param aheadMs - what the edge was ahead of the machine's clock when it was last heard
   */
  constructor(clock: Clock, monotonicMs: () => number, aheadMs: number) {
    this.#monotonicMs = monotonicMs;
    this.#offsetMs = clock.nowMs() + aheadMs - monotonicMs();
  }

  nowMs(): number {
    return Math.max(0, Math.round(this.#monotonicMs() + this.#offsetMs));
  }

  /** Whether the edge has said its time to this process. */
  get isTold(): boolean {
    return this.#isTold;
  }

  /** Hears the edge's time. @returns by how much the time moved here; 0 for what is but the way of a message */
  told(serverTimeMs: number): number {
    const movedMs = serverTimeMs - this.nowMs();
    this.#isTold = true;
    if (Math.abs(movedMs) <= JITTER_MS) return 0;
    this.#offsetMs += movedMs;
    return movedMs;
  }
}
