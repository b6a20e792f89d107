import { requireSolvent } from '../../billing/admission/require-solvent.ts';
import { runBatch } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { ApiError, conflict } from '../../http/errors.ts';
import { claimUpload, declaredSize, leaseRead, type Upload } from '../claim-upload.ts';
import { againIfChanged, imageRead, requireImage } from '../find-image.ts';
import type { DiskFormat } from '../formats.ts';
import type { VirtualSize } from '../inspect-head.ts';
import { authorizeImage } from '../policy.ts';
import { ACTIVATION, type Course, inspectOf, storeUpload, type UploadInput } from '../store-upload.ts';
import type { ImageRow } from '../views.ts';

/**
 * Stores data that a later import makes the image's: queued -> uploading. Data that will not do is taken all the same, as
 * Glance takes it; its import says why it fails. When the data does not come whole the image is queued again.
 * @throws ApiError 400 data that broke off; 403, 404; 409 not queued; 410 deleted meanwhile; 413 too large; 503 the store failed
 */
export async function stageImage(ctx: ActorContext, imageId: string, input: UploadInput): Promise<void> {
  const upload = await beginStage(ctx, imageId, declaredSize(input));
  return storeUpload(ctx, upload, input, staging());
}

function beginStage(ctx: ActorContext, imageId: string, declaredBytes: number): Promise<Upload> {
  return againIfChanged(async () => {
    const [rows, leases] = (await runBatch(ctx.db, [imageRead(ctx, imageId), leaseRead(ctx, imageId)])) as [
      ImageRow[],
      { afterMs: number }[],
    ];
    const row = requireImage(ctx, imageId, rows[0]);
    authorizeImage(ctx, 'modify_image', row.projectId);
    const lost = row.status === 'uploading' && row.staged === null && (leases[0]?.afterMs ?? 0) < ctx.clock.nowMs();
    if (row.status !== 'queued' && !lost) {
      throw conflict(`Image status transition from ${row.status} to uploading is not allowed`);
    }
    return claimUpload(ctx, row, {
      ...{ status: 'uploading', action: 'image.stage', limit: 'image_stage_total', declaredBytes },
      pays: true,
      statements: requireSolvent(ctx, row.projectId),
    });
  });
}

function staging(): Course {
  let refusal: string | null = null;
  return {
    ...ACTIVATION,
    inspect(row, head): VirtualSize {
      if (!row.diskFormat) return null;
      try {
        return inspectOf({ ...row, diskFormat: row.diskFormat as DiskFormat }, head);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        refusal = error.message;
        return null;
      }
    },
    done: (data) => ({
      action: 'image.staged',
      set: { sizeBytes: data.sizeBytes, staged: { ...data, refusal } },
      statements: [],
    }),
  };
}
