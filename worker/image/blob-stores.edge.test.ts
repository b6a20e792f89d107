import { env } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import type { BlobStore } from './blob-store.ts';
import { diskBlobStore } from './disk-blob-store.ts';
import { r2BlobStore } from './r2-blob-store.ts';

const { BUCKET, TEST_BLOBS } = env as unknown as { BUCKET: R2Bucket; TEST_BLOBS: Fetcher };
const stores: [string, BlobStore][] = [
  ['a directory', diskBlobStore(TEST_BLOBS)],
  ['a bucket', r2BlobStore(BUCKET)],
];
const newKey = () => `images/${crypto.randomUUID().slice(0, 2)}/${crypto.randomUUID()}`;
const bytesOf = async (stream: ReadableStream | null) => new Uint8Array(await new Response(stream).arrayBuffer());

/** A stream of known or unknown length, fed piece by piece. */
function fed(pieces: Uint8Array[], sizeBytes: number | undefined, failure?: Error) {
  const pipe = sizeBytes === undefined ? new IdentityTransformStream() : new FixedLengthStream(sizeBytes);
  const writer = pipe.writable.getWriter();
  const feeding = (async () => {
    for (const piece of pieces) await writer.write(piece);
    await (failure ? writer.abort(failure) : writer.close());
  })();
  return { readable: pipe.readable, feeding };
}

/** Bytes that differ from place to place, so that a part in the wrong place shows. */
function pattern(sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (let at = 0; at < sizeBytes; at += 1) bytes[at] = (at * 31 + (at >> 8) * 7 + (at >> 16)) & 0xff;
  return bytes;
}

describe.each(stores)('blobs in %s', (_name, store) => {
  it.each([
    ['of known length', true],
    ['of unknown length', false],
  ])('come back whole and in parts when put %s', async (_how, known) => {
    const key = newKey();
    const data = pattern(100_000);
    const { readable, feeding } = fed([data.subarray(0, 1), data.subarray(1)], known ? data.byteLength : undefined);
    await Promise.all([store.put(key, readable, known ? data.byteLength : undefined), feeding]);
    expect(await bytesOf(await store.get(key))).toEqual(data);
    expect(await bytesOf(await store.get(key, { first: 5, last: 5 }))).toEqual(data.subarray(5, 6));
    expect(await bytesOf(await store.get(key, { first: 99_000, last: 99_999 }))).toEqual(data.subarray(99_000));
  });

  it.each([0, undefined])('may be empty (length %j)', async (sizeBytes) => {
    const key = newKey();
    const { readable, feeding } = fed([], sizeBytes);
    await Promise.all([store.put(key, readable, sizeBytes), feeding]);
    expect(await bytesOf(await store.get(key))).toHaveLength(0);
  });

  it('of unknown length may be longer than a part', async () => {
    const key = newKey();
    const data = pattern(17 * 1024 * 1024 + 3);
    const pieces = Array.from({ length: 18 }, (_, at) => data.subarray(at * 1024 * 1024, (at + 1) * 1024 * 1024));
    const { readable, feeding } = fed(pieces, undefined);
    await Promise.all([store.put(key, readable), feeding]);
    const around = { first: 16 * 1024 * 1024 - 10, last: data.byteLength - 1 };
    expect(await bytesOf(await store.get(key, around))).toEqual(data.subarray(around.first));
  });

  it('are refused when they are shorter than their length', async () => {
    const key = newKey();
    const { readable, feeding } = fed([pattern(500)], 1000, new Error('broken off'));
    const put = store.put(key, readable, 1000);
    await expect(put).rejects.toThrow();
    await feeding.catch(() => {});
    expect(await store.get(key)).toBeNull();
  });

  it('of unknown length that break off leave nothing once they are deleted', async () => {
    const key = newKey();
    const { readable, feeding } = fed([pattern(500)], undefined, new Error('broken off'));
    await Promise.allSettled([store.put(key, readable), feeding]);
    await store.delete(key);
    expect(await store.get(key)).toBeNull();
  });

  it('go when they are deleted, and deleting again is no fault', async () => {
    const key = newKey();
    const { readable, feeding } = fed([pattern(10)], 10);
    await Promise.all([store.put(key, readable, 10), feeding]);
    await store.delete(key);
    expect(await store.get(key)).toBeNull();
    await store.delete(key);
  });

  it('that never were are null', async () => {
    expect(await store.get(newKey())).toBeNull();
  });
});
