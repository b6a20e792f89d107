import { createMiddleware } from 'hono/factory';

/** What is left of a body beyond this is cut off: whoever sends that much was not told to. */
export const DRAINED_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Stands before all: an answer goes out when its request has been read to the end, or DRAINED_BYTES_MAX of what is left.
 * A refusal that comes sooner has the connection cut under a client that still writes, who then never reads the refusal.
 */
export const drainBody = createMiddleware(async (c, next) => {
  await next();
  const { body } = c.req.raw;
  if (!body || body.locked) return;
  const reader = body.getReader();
  try {
    for (let left = DRAINED_BYTES_MAX; left > 0; ) {
      const { done, value } = await reader.read();
      if (done) return;
      left -= value.byteLength;
    }
    await reader.cancel();
  } catch {
    // The client is gone: nobody waits for the answer.
  }
});
