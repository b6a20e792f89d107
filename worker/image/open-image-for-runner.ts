import { sql } from 'drizzle-orm';
import { images } from '../../db/schema/image.ts';
import type { Context } from '../http/context.ts';
import { notFound } from '../http/errors.ts';
import { type ImageData, openImageData } from './image-data.ts';
import { BOOT_IMAGES } from './kept-data.ts';

/**
 * Opens the data of an image that a runner needs for a server it should hold, as disk, kernel or ramdisk, or was asked to
 * have in its cache. One that is deactivated or deleted is given, too: its servers may have been made before.
 * @param rangeHeader - the request's Range: a download that broke off goes on where it ended
 * @throws ApiError 400 several ranges; 404 no such image, or none that this runner needs; 416
 */
export async function openImageForRunner(
  ctx: Context,
  runnerId: string,
  imageId: string,
  rangeHeader?: string,
): Promise<ImageData> {
  const [row] = await ctx.db
    .select()
    .from(images)
    .where(sql`images.id = ${imageId} AND images.region = ${ctx.region} AND (images.status IN ('active', 'deactivated')
        OR (images.status = 'deleted' AND images.blob_key IS NOT NULL))
      AND (EXISTS (SELECT 1 FROM desired WHERE desired.runner_id = ${runnerId} AND desired.kind = 'server'
        AND desired.deleted = 0 AND ${imageId} IN (${BOOT_IMAGES}))
      OR EXISTS (SELECT 1 FROM operations WHERE operations.runner_id = ${runnerId} AND operations.kind = 'cache-image'
        AND operations.target_id = ${imageId} AND operations.state IN ('queued', 'accepted')))`);
  if (!row) throw notFound(`Image ${imageId} is not one that this runner's servers need.`);
  return openImageData(ctx, row, rangeHeader);
}
