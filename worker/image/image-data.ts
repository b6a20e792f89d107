import type { Context } from '../http/context.ts';
import { notFound } from '../http/errors.ts';
import { type ByteRange, parseByteRange } from './byte-range.ts';
import type { ImageRow } from './views.ts';

/** An image's data, or a part of it, as it is read from the store. */
export interface ImageData {
  stream: ReadableStream<Uint8Array>;
  /** Of the whole image. */
  sizeBytes: number;
  range: ByteRange | undefined;
  md5: string | null;
  sha256: string | null;
}

/**
 * Opens the data of an image that has some.
 * @param rangeHeader - the request's Range, where it has one
 * @throws ApiError 400 or 416 of the range; 404 the data is gone
 */
export async function openImageData(ctx: Context, row: ImageRow, rangeHeader: string | undefined): Promise<ImageData> {
  const sizeBytes = row.sizeBytes ?? 0;
  const range = parseByteRange(rangeHeader, sizeBytes);
  const stream = row.blobKey === null ? null : await ctx.blobs.get(row.blobKey, range);
  if (!stream) throw notFound(`No image data could be found for image ${row.id}`);
  return { stream, sizeBytes, range, md5: row.md5, sha256: row.sha256 };
}

/** Image data as an answer: 200, or 206 with the range it is. */
export function imageDataResponse({ stream, sizeBytes, range, md5 }: ImageData): Response {
  const length = range ? range.last - range.first + 1 : sizeBytes;
  const headers = new Headers({ 'content-type': 'application/octet-stream', 'content-length': String(length) });
  if (md5) headers.set('content-md5', md5);
  if (range) headers.set('content-range', `bytes ${range.first}-${range.last}/${sizeBytes}`);
  return new Response(stream, { status: range ? 206 : 200, headers });
}
