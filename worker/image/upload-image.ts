import { requireSolvent } from '../billing/admission/require-solvent.ts';
import { runBatch } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { conflict } from '../http/errors.ts';
import { checkFormats, claimUpload, declaredSize, leaseRead, type Upload } from './claim-upload.ts';
import { againIfChanged, imageRead, requireImage } from './find-image.ts';
import { authorizeImage } from './policy.ts';
import { storeUpload, type UploadInput } from './store-upload.ts';
import type { ImageRow } from './views.ts';

/**
 * Stores an image's data: queued -> saving -> active; see `storeUpload`.
 * @throws ApiError 400 no formats, or data that broke off; 403, 404; 409 it has data or another upload runs; 410 deleted
 *   meanwhile; 413 too large; 415 not of its format, or unsafe to open; 503 the store failed
 */
export async function uploadImage(ctx: ActorContext, imageId: string, input: UploadInput): Promise<void> {
  return storeUpload(ctx, await beginUpload(ctx, imageId, declaredSize(input)), input);
}

function beginUpload(ctx: ActorContext, imageId: string, declaredBytes: number): Promise<Upload> {
  return againIfChanged(async () => {
    const [rows, leases] = (await runBatch(ctx.db, [imageRead(ctx, imageId), leaseRead(ctx, imageId)])) as [
      ImageRow[],
      { afterMs: number }[],
    ];
    const row = requireImage(ctx, imageId, rows[0]);
    authorizeImage(ctx, 'upload_image', row.projectId);
    const lost = row.status === 'saving' && (leases[0]?.afterMs ?? 0) < ctx.clock.nowMs();
    if (row.status !== 'queued' && !lost) {
      throw conflict(`Image status transition from ${row.status} to saving is not allowed`);
    }
    checkFormats(row);
    return claimUpload(ctx, row, {
      status: 'saving',
      action: 'image.upload',
      limit: 'image_size_total',
      declaredBytes,
      pays: true,
      statements: requireSolvent(ctx, row.projectId),
    });
  });
}
