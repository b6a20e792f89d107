import type { AppContext } from '../http/context.ts';
import { ApiError, badRequest } from '../http/errors.ts';
import type { UploadInput } from './store-upload.ts';

/**
 * What a request brings as image data.
 * @throws ApiError 400 a length that is none; 415 another content type than octets
 */
export function uploadInput(c: AppContext): UploadInput {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/octet-stream') {
    throw new ApiError(415, `Invalid content type ${type ?? 'None'}: image data is application/octet-stream.`);
  }
  return {
    body: c.req.raw.body ?? new Blob([]).stream(),
    contentLength: byteCount(c, 'content-length'),
    declaredBytes: byteCount(c, 'x-openstack-image-size'),
  };
}

function byteCount(c: AppContext, header: string): number | undefined {
  const text = c.req.header(header);
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw badRequest('Invalid or missing image size in request headers.');
  return Number(text);
}
