import { ApiError, badRequest } from '../http/errors.ts';

/** Bytes of a blob, both ends inclusive. */
export interface ByteRange {
  first: number;
  last: number;
}

const notSatisfiable = (message: string, sizeBytes: number) =>
  new ApiError(416, message, { headers: { 'content-range': `bytes */${sizeBytes}` } });

/**
 * The one range that a Range header asks for.
 * @returns undefined without a header
 * @throws ApiError 400 several ranges; 416 malformed, or past the end
 */
export function parseByteRange(header: string | undefined, sizeBytes: number): ByteRange | undefined {
  if (header === undefined) return undefined;
  if (header.includes(',')) {
    throw badRequest(
      'Requests with multiple ranges are not supported in Glance. You may make multiple single-range requests instead.',
    );
  }
  const [, from = '', to = ''] = /^\s*bytes\s*=\s*(\d{0,15})\s*-\s*(\d{0,15})\s*$/i.exec(header) ?? [];
  if (from === '' && to === '') throw notSatisfiable('Invalid Range header.', sizeBytes);
  const first = from === '' ? Math.max(0, sizeBytes - Number(to)) : Number(from);
  const last = from === '' || to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (first >= sizeBytes) {
    throw notSatisfiable(
      `Invalid start position in Range header. Start position MUST be in the inclusive range [0, ${sizeBytes - 1}].`,
      sizeBytes,
    );
  }
  if (last < first) throw notSatisfiable('Invalid Range header.', sizeBytes);
  return { first, last };
}
