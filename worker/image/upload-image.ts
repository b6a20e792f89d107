import { and, eq, sql } from 'drizzle-orm';
import { images, looseBlobs } from '../../db/schema/image.ts';
import { AssertionFailed, assertThat, commit, commitAll, runBatch } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { ApiError, badRequest, conflict, tooLarge } from '../http/errors.ts';
import { againIfChanged, changedAtMs, imageRead, requireImage, stillAsRead } from './find-image.ts';
import { type DiskFormat, INSPECTED_CONTAINERS } from './formats.ts';
import { inspectHead, type VirtualSize } from './inspect-head.ts';
import { IMAGE_BYTES_MAX, UPLOAD_LEASE_MS, UPLOAD_RENEW_MS } from './limits.ts';
import { authorizeImage } from './policy.ts';
import { type ReceivedData, receiveData } from './receive-data.ts';
import type { ImageRow } from './views.ts';

export interface UploadInput {
  body: ReadableStream<Uint8Array>;
  /** The request's Content-Length, where it has one. */
  contentLength: number | undefined;
  /** What the client says that the data will be. */
  declaredBytes: number | undefined;
}

/** An upload under way: this image, written under this key. */
interface Upload {
  row: ImageRow;
  key: string;
}

/**
 * Stores an image's data: queued -> saving -> active. When the data does not come whole or will not do, the image is
 * queued again and what was written is removed. It goes on after the answer when the client goes away, to clean up.
 * @throws ApiError 400 no formats, or data that broke off; 403, 404; 409 it has data or another upload runs; 410 deleted
 *   meanwhile; 413 too large; 415 not of its format, or unsafe to open; 503 the store failed
 */
export async function uploadImage(ctx: ActorContext, imageId: string, input: UploadInput): Promise<void> {
  if (Math.max(input.contentLength ?? 0, input.declaredBytes ?? 0) > IMAGE_BYTES_MAX) {
    throw tooLarge('The provided image is too large.');
  }
  const upload = await beginUpload(ctx, imageId);
  const work = finishUpload(ctx, upload, input);
  ctx.waitUntil(work.catch(() => {}));
  return work;
}

/** Claims the image for this upload: the key of its blob tells uploads apart. */
function beginUpload(ctx: ActorContext, imageId: string): Promise<Upload> {
  return againIfChanged(async () => {
    const nowMs = ctx.clock.nowMs();
    const lease = ctx.db
      .select()
      .from(looseBlobs)
      .where(sql`loose_blobs.key = (SELECT images.blob_key FROM images WHERE images.id = ${imageId.toLowerCase()})`);
    const [rows, leases] = (await runBatch(ctx.db, [imageRead(ctx, imageId), lease])) as [
      ImageRow[],
      { afterMs: number }[],
    ];
    const row = requireImage(ctx, imageId, rows[0]);
    authorizeImage(ctx, 'upload_image', row.projectId);
    const lost = row.status === 'saving' && (leases[0]?.afterMs ?? 0) < nowMs;
    if (row.status !== 'queued' && !lost) {
      throw conflict(`Image status transition from ${row.status} to saving is not allowed`);
    }
    checkFormats(row);
    const key = `images/${row.id.slice(0, 2)}/${ctx.ids.uuid()}`;
    await commit(ctx, {
      audit: { action: 'image.upload', targetType: 'image', targetId: row.id },
      statements: [
        stillAsRead(ctx, row),
        ctx.db
          .update(images)
          .set({ status: 'saving', blobKey: key, updatedAtMs: changedAtMs(ctx, row) })
          .where(eq(images.id, row.id)),
        ctx.db.insert(looseBlobs).values({ key, region: ctx.region, afterMs: nowMs + UPLOAD_LEASE_MS }),
      ],
    });
    return { row, key };
  });
}

function checkFormats(row: ImageRow): void {
  const missing = [...(row.diskFormat ? [] : ['disk_format']), ...(row.containerFormat ? [] : ['container_format'])];
  if (missing.length === 0) return;
  const noun = missing.length === 1 ? 'Property' : 'Properties';
  throw badRequest(`${noun} ${missing.join(', ')} must be set prior to saving data.`);
}

async function finishUpload(ctx: ActorContext, upload: Upload, input: UploadInput): Promise<void> {
  let data: ReceivedData;
  try {
    data = await receiveData(ctx, {
      body: input.body,
      key: upload.key,
      sizeBytes: input.contentLength,
      inspect: (head) => inspectOf(upload.row, head),
      onPiece: leaseRenewer(ctx, upload),
    });
    if (input.declaredBytes !== undefined && input.declaredBytes !== data.sizeBytes) {
      throw badRequest(`The data has ${data.sizeBytes} bytes, not the ${input.declaredBytes} that were declared.`);
    }
  } catch (error) {
    await abandonUpload(ctx, upload);
    throw error;
  }
  await activate(ctx, upload, data);
}

function inspectOf(row: ImageRow, head: Uint8Array): VirtualSize {
  return INSPECTED_CONTAINERS.has(row.containerFormat ?? '') ? inspectHead(head, row.diskFormat as DiskFormat) : null;
}

const isRunning = ({ row, key }: Upload) =>
  and(eq(images.id, row.id), eq(images.status, 'saving'), eq(images.blobKey, key));

/** Renews the upload's lease as data comes. @throws ApiError 410 (from what it returns) when the image is gone */
function leaseRenewer(ctx: ActorContext, upload: Upload): () => Promise<void> {
  let renewedMs = ctx.clock.nowMs();
  return async () => {
    const nowMs = ctx.clock.nowMs();
    if (nowMs - renewedMs < UPLOAD_RENEW_MS) return;
    renewedMs = nowMs;
    const running = ctx.db.select({ id: images.id }).from(images).where(isRunning(upload));
    const [renewed] = (await commitAll(ctx, [
      ctx.db
        .update(looseBlobs)
        .set({ afterMs: nowMs + UPLOAD_LEASE_MS })
        .where(sql`${looseBlobs.key} = ${upload.key} AND EXISTS ${running}`)
        .returning({ key: looseBlobs.key }),
    ])) as [unknown[]];
    if (renewed.length === 0) throw gone(upload);
  };
}

/**
 * Makes the data the image's own, unless the image was deleted or the upload taken for lost. When it is not known whether
 * the batch was written, nothing is removed: the sweep does, if it was not.
 */
async function activate(ctx: ActorContext, upload: Upload, data: ReceivedData): Promise<void> {
  const { row, key } = upload;
  const held = sql`EXISTS (SELECT 1 FROM images, loose_blobs WHERE images.id = ${row.id} AND images.status = 'saving'
    AND images.blob_key = ${key} AND loose_blobs.key = ${key})`;
  try {
    await commit(ctx, {
      audit: {
        action: 'image.activate',
        targetType: 'image',
        targetId: row.id,
        detail: { sizeBytes: data.sizeBytes, sha256: data.sha256 },
      },
      statements: [
        assertThat(ctx.db, 'upload-held', held),
        ctx.db
          .update(images)
          .set({ ...data, status: 'active', updatedAtMs: sql`max(${ctx.clock.nowMs()}, updated_at_ms + 1)` })
          .where(eq(images.id, row.id)),
        ctx.db.delete(looseBlobs).where(eq(looseBlobs.key, key)),
      ],
    });
  } catch (error) {
    if (!(error instanceof AssertionFailed)) throw error;
    await abandonUpload(ctx, upload);
    throw gone(upload);
  }
}

/** Removes what was written and queues the image again. What fails here is done by the sweep once the lease has ended. */
async function abandonUpload(ctx: ActorContext, upload: Upload): Promise<void> {
  const { row, key } = upload;
  try {
    await ctx.blobs.delete(key);
    await commitAll(ctx, [
      ctx.db
        .update(images)
        .set({ status: 'queued', blobKey: null, updatedAtMs: sql`max(${ctx.clock.nowMs()}, updated_at_ms + 1)` })
        .where(isRunning(upload)),
      ctx.db.delete(looseBlobs).where(eq(looseBlobs.key, key)),
    ]);
  } catch (error) {
    ctx.log.error('upload-not-abandoned', { imageId: row.id, key, error: String(error) });
  }
}

const gone = ({ row }: Upload) =>
  new ApiError(
    410,
    `Image ${row.id} could not be found after upload. The image may have been deleted during the upload, cleaning up the chunks uploaded.`,
  );
