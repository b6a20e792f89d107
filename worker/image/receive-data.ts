import { toHex } from '../../shared/digest.ts';
import type { Context } from '../http/context.ts';
import { ApiError, serviceUnavailable, tooLarge } from '../http/errors.ts';
import { bodyPieces } from './body-pieces.ts';
import type { VirtualSize } from './inspect-head.ts';
import { HEAD_BYTES, IMAGE_BYTES_MAX } from './limits.ts';

export interface DataInput {
  body: ReadableStream<Uint8Array>;
  /** Breaks it off. */
  signal?: AbortSignal | undefined;
  /** A new key of the blob store. */
  key: string;
  /** The length that the request declares, where it does. */
  sizeBytes: number | undefined;
  /** The most that is taken, where that is less than an image may have. */
  bytesMax: number;
  /** Told the first 64 KiB, or all there is. @throws ApiError when the data will not do */
  inspect: (head: Uint8Array) => VirtualSize;
  /** Called between pieces with the bytes there are by then. @throws to end it */
  onPiece: (sizeBytes: number) => Promise<void>;
}

export interface ReceivedData {
  sizeBytes: number;
  virtualSizeBytes: number | null;
  md5: string;
  sha256: string;
  sha512: string;
}

const STORE_RETRY_S = 30;

/**
 * Stores a body as a blob, hashing and inspecting it on its way; no more than a piece is held at once. A body that the
 * inspection refuses is read to its end, so that the client hears why.
 * @throws ApiError 400 the client went away, 413 too large, 415 refused, 503 the store failed; the blob may be there in part
 */
export async function receiveData(ctx: Context, input: DataInput): Promise<ReceivedData> {
  const pipe = input.sizeBytes === undefined ? new IdentityTransformStream() : new FixedLengthStream(input.sizeBytes);
  const toStore = pipe.writable.getWriter();
  const hashes = startHashes();
  const stored = ctx.blobs.put(input.key, pipe.readable, input.sizeBytes).catch(async (cause: unknown) => {
    await toStore.abort(cause).catch(() => {});
    throw serviceUnavailable(`The image store did not take the data: ${String(cause)}`, STORE_RETRY_S);
  });
  // It is awaited at the end; until then a failure shows in the writes.
  stored.catch(() => {});
  const head = headCollector(input.inspect);
  let sizeBytes = 0;
  const sinks = [toStore, ...hashes.writers];
  try {
    for await (const piece of bodyPieces(input.body, input.signal)) {
      sizeBytes += piece.byteLength;
      if (sizeBytes > IMAGE_BYTES_MAX) throw tooLarge('The provided image is too large.');
      if (sizeBytes > input.bytesMax) throw tooLarge('The image is larger than what its project may still store.');
      head.add(piece);
      if (!head.refused) await Promise.all(sinks.map((sink) => sink.write(piece)));
      await input.onPiece(sizeBytes);
    }
    head.end();
    if (head.refused) throw head.refused;
    await Promise.all(sinks.map((sink) => sink.close()));
    await stored;
  } catch (error) {
    await Promise.all(sinks.map((sink) => sink.abort(error).catch(() => {})));
    // The store's own failure is the cause of a failed write to it.
    const storeError = await stored.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    throw error instanceof ApiError ? error : (storeError ?? error);
  }
  const virtualSize = head.virtualSize;
  return { sizeBytes, virtualSizeBytes: virtualSize === 'same' ? sizeBytes : virtualSize, ...(await hashes.values()) };
}

function startHashes() {
  const streams = ['MD5', 'SHA-256', 'SHA-512'].map((algorithm) => new crypto.DigestStream(algorithm));
  // A stream that is aborted rejects its digest, which nobody then awaits.
  for (const stream of streams) stream.digest.catch(() => {});
  return {
    writers: streams.map((stream) => stream.getWriter()),
    async values() {
      const [md5 = '', sha256 = '', sha512 = ''] = await Promise.all(
        streams.map(async (stream) => toHex(await stream.digest)),
      );
      return { md5, sha256, sha512 };
    },
  };
}

/** Gathers the first bytes and has them inspected once there are enough, or no more. */
function headCollector(inspect: DataInput['inspect']) {
  const head = new Uint8Array(HEAD_BYTES);
  let filled = 0;
  let inspected = false;
  const collector = {
    virtualSize: null as VirtualSize,
    refused: undefined as unknown,
    add(piece: Uint8Array) {
      const part = piece.subarray(0, HEAD_BYTES - filled);
      head.set(part, filled);
      filled += part.byteLength;
      if (filled === HEAD_BYTES) collector.end();
    },
    end() {
      if (inspected) return;
      inspected = true;
      try {
        collector.virtualSize = inspect(head.subarray(0, filled));
      } catch (error) {
        collector.refused = error;
      }
    },
  };
  return collector;
}
