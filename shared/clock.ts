/** Time as it is passed in everywhere, so that a simulation can own it. Milliseconds since the epoch, UTC. */
export interface Clock {
  nowMs(): number;
}

/** The machine's own clock. */
export const systemClock: Clock = { nowMs: () => Date.now() };
