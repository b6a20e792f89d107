/** Time as it is passed in everywhere, so that a simulation can own it. Milliseconds since the epoch, UTC. */
export interface Clock {
  nowMs(): number;
}

/** Time that can be waited for. */
export interface Timers extends Clock {
  /** Runs something once, `delayMs` from now. What it answers calls it off. */
  after(delayMs: number, run: () => void): () => void;
}

/** The machine's own clock. */
export const systemClock: Clock = { nowMs: () => Date.now() };

/** The machine's own clock and timers. */
export const systemTimers: Timers = {
  ...systemClock,
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
