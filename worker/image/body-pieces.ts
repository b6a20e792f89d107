import { badRequest } from '../http/errors.ts';
import { READ_BYTES_MIN } from './limits.ts';

/**
 * The bytes of a body, in pieces of `READ_BYTES_MIN` but for the last. One buffer serves them all: a piece is good until
 * the next is asked for.
 * @param signal - breaks it off, even while nothing comes
 * @throws ApiError 400 when the sender goes away
 */
export async function* bodyPieces(
  body: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const reader = body.getReader({ mode: 'byob' });
  let breakOff: (reason: unknown) => void = () => {};
  signal?.addEventListener('abort', () => {
    breakOff(signal.reason);
    reader.cancel(signal.reason).catch(() => {});
  });
  const read = (view: Uint8Array) =>
    new Promise<ReadableStreamReadResult<Uint8Array>>((resolve, reject) => {
      breakOff = reject;
      if (signal?.aborted) reject(signal.reason);
      else reader.readAtLeast(READ_BYTES_MIN, view).then(resolve, reject);
    });
  let buffer = new ArrayBuffer(READ_BYTES_MIN);
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await read(new Uint8Array(buffer));
      ended = done;
      if (value && value.byteLength > 0) yield value;
      if (done || !value) return;
      buffer = value.buffer as ArrayBuffer;
    }
  } catch (cause) {
    ended = true;
    throw badRequest(`The image data broke off: ${cause instanceof Error ? cause.message : String(cause)}`);
  } finally {
    if (!ended) await reader.cancel();
  }
}
