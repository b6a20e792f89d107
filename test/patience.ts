/** How long a test waits for what must come before it takes it for lost. Generous: a wait ends with its condition. */
const WAIT_MS = 60_000;

/** For every lane: a loaded machine makes a test slow, never wrong. */
export const patience = {
  testTimeout: 240_000,
  hookTimeout: 240_000,
  teardownTimeout: WAIT_MS,
  expect: { poll: { timeout: WAIT_MS } },
};
