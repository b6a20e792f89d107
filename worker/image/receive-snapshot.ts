import { sql } from 'drizzle-orm';
import { images } from '../../db/schema/image.ts';
import type { Context } from '../http/context.ts';
import { conflict, notFound } from '../http/errors.ts';
import { checkFormats, claimUpload, declaredSize, type Upload } from './claim-upload.ts';
import { againIfChanged } from './find-image.ts';
import { storeUpload, type UploadInput } from './store-upload.ts';

/**
 * Stores the data of an image that an open operation of this runner names as `image_id` in its arguments. It may be sent
 * again: a newer upload takes over from an older one, and when the image is active already the data is not read.
 * @throws ApiError 400 data that broke off; 404 no such image, or none that this runner was asked for; 409 it is neither
 *   queued nor active; 410 deleted meanwhile; 413 too large; 415 not of its format; 503 the store failed
 */
export async function receiveSnapshot(
  ctx: Context,
  runnerId: string,
  imageId: string,
  input: UploadInput,
): Promise<void> {
  const upload = await beginUpload(ctx, runnerId, imageId, declaredSize(input));
  if (upload) await storeUpload(ctx, upload, input);
  else await input.body.cancel();
}

/** @returns undefined when the data is there already */
function beginUpload(
  ctx: Context,
  runnerId: string,
  imageId: string,
  declaredBytes: number,
): Promise<Upload | undefined> {
  return againIfChanged(async () => {
    const [row] = await ctx.db
      .select()
      .from(images)
      .where(sql`images.id = ${imageId} AND images.region = ${ctx.region} AND images.status <> 'deleted'
        AND EXISTS (SELECT 1 FROM operations WHERE operations.runner_id = ${runnerId}
          AND operations.state IN ('queued', 'accepted') AND operations.args ->> 'image_id' = ${imageId})`);
    if (!row) throw notFound(`Image ${imageId} is not one that this runner was asked for.`);
    if (row.status === 'active') return undefined;
    if (row.status !== 'queued' && row.status !== 'saving') {
      throw conflict(`Image status transition from ${row.status} to saving is not allowed`);
    }
    checkFormats(row);
    return claimUpload(ctx, row, {
      ...{ status: 'saving', action: 'image.upload', limit: 'image_size_total', declaredBytes },
      actor: { type: 'runner', id: runnerId },
    });
  });
}
