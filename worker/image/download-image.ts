import type { ActorContext } from '../http/context.ts';
import { forbidden } from '../http/errors.ts';
import { isAdmin } from '../http/policy.ts';
import { findImage } from './find-image.ts';
import { type ImageData, openImageData } from './image-data.ts';
import { authorizeImage } from './policy.ts';

/**
 * Opens an image's data for its reader.
 * @param rangeHeader - the request's Range, where it has one
 * @returns null where the image has no data yet, or none at all
 * @throws ApiError 400 several ranges, 403 deactivated or not allowed, 404, 416
 */
export async function downloadImage(
  ctx: ActorContext,
  imageId: string,
  rangeHeader: string | undefined,
): Promise<ImageData | null> {
  const row = await findImage(ctx, imageId);
  if (row.status === 'deactivated' && !isAdmin(ctx)) {
    throw forbidden('The requested image has been deactivated. Image data download is forbidden.');
  }
  authorizeImage(ctx, 'download_image');
  const hasData = row.status === 'active' || row.status === 'deactivated';
  if (!hasData || row.sizeBytes === 0) return null;
  return openImageData(ctx, row, rangeHeader);
}
