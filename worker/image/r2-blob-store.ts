import type { BlobStore } from './blob-store.ts';

/** R2 takes no more than 5 GiB at once. */
const PUT_BYTES_MAX = 4 * 1024 ** 3;
/** One part is held in memory at a time. R2 takes 10,000 parts, all of one size but the last: 156 GiB. */
const PART_BYTES = 16 * 1024 ** 2;

/** Blobs as objects of an R2 bucket. */
export function r2BlobStore(bucket: R2Bucket): BlobStore {
  return {
    async put(key, data, sizeBytes) {
      if (sizeBytes === undefined || sizeBytes > PUT_BYTES_MAX) await putInParts(bucket, key, data);
      else await bucket.put(key, data);
    },
    async get(key, range) {
      const options = range ? { range: { offset: range.first, length: range.last - range.first + 1 } } : {};
      const object = await bucket.get(key, options);
      return object?.body ?? null;
    },
    async delete(key) {
      await bucket.delete(key);
    },
  };
}

/** Uploads a stream of unknown length part by part; what fails is aborted and leaves no object. */
async function putInParts(bucket: R2Bucket, key: string, data: ReadableStream<Uint8Array>): Promise<void> {
  const upload = await bucket.createMultipartUpload(key);
  try {
    const parts: R2UploadedPart[] = [];
    for await (const part of partsOf(data)) parts.push(await upload.uploadPart(parts.length + 1, part));
    await upload.complete(parts);
  } catch (error) {
    await upload.abort();
    throw error;
  }
}

/** The stream in parts of `PART_BYTES`, the last one shorter; an empty stream is one empty part. */
async function* partsOf(data: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = data.getReader({ mode: 'byob' });
  let part = new Uint8Array(PART_BYTES);
  let first = true;
  for (;;) {
    const { done, value } = await reader.readAtLeast(PART_BYTES, part);
    if (value && (value.byteLength > 0 || (done && first))) yield value;
    first = false;
    if (done || !value) return;
    part = new Uint8Array(value.buffer as ArrayBuffer);
  }
}
