import { and, eq, type SQL, sql } from 'drizzle-orm';
import { images, looseBlobs } from '../../db/schema/image.ts';
import { AssertionFailed, type AuditEntry, assertThat, commit, commitAll, type Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { ApiError, badRequest, tooLarge } from '../http/errors.ts';
import { changedAtMs, stillAsRead } from './find-image.ts';
import { type DiskFormat, INSPECTED_CONTAINERS } from './formats.ts';
import { inspectHead, type VirtualSize } from './inspect-head.ts';
import { IMAGE_BYTES_MAX, UPLOAD_LEASE_MS, UPLOAD_RENEW_MS } from './limits.ts';
import { type ReceivedData, receiveData } from './receive-data.ts';
import type { ImageRow } from './views.ts';

export interface UploadInput {
  body: ReadableStream<Uint8Array>;
  /** The request's Content-Length, where it has one. */
  contentLength: number | undefined;
  /** What the client says that the data will be. */
  declaredBytes: number | undefined;
}

/** Data under way into an image that this claimed. */
export interface Upload {
  row: ImageRow;
  /** Of the blob; new for each upload, so that it tells them apart. */
  key: string;
  /** The image's while this runs. */
  status: 'saving';
  /** Who is in the audit, when that is not the user of the token. */
  actor?: AuditEntry['actor'];
}

/** The read of the lease that an upload to the image holds, for the caller's batch of reads. */
export function leaseRead(ctx: Context, imageId: string) {
  return ctx.db
    .select({ afterMs: looseBlobs.afterMs })
    .from(looseBlobs)
    .where(sql`loose_blobs.key = (SELECT images.blob_key FROM images WHERE images.id = ${imageId.toLowerCase()})`);
}

/** Refuses to store data while both formats are not known. @throws ApiError 400 */
export function checkFormats(row: ImageRow): void {
  const missing = [...(row.diskFormat ? [] : ['disk_format']), ...(row.containerFormat ? [] : ['container_format'])];
  if (missing.length === 0) return;
  const noun = missing.length === 1 ? 'Property' : 'Properties';
  throw badRequest(`${noun} ${missing.join(', ')} must be set prior to saving data.`);
}

/** Refuses what is said to be too large before anything is done. @throws ApiError 413 */
export function checkDeclaredSize({ contentLength, declaredBytes }: UploadInput): void {
  if (Math.max(contentLength ?? 0, declaredBytes ?? 0) > IMAGE_BYTES_MAX) {
    throw tooLarge('The provided image is too large.');
  }
}

/**
 * Claims an image for an upload, with a lease that the upload renews.
 * @throws AssertionFailed the image is no longer as it was read
 */
export async function claimUpload(ctx: Context, row: ImageRow, actor?: AuditEntry['actor']): Promise<Upload> {
  const key = `images/${row.id.slice(0, 2)}/${ctx.ids.uuid()}`;
  const upload: Upload = { row, key, status: 'saving', ...(actor ? { actor } : {}) };
  await commit(ctx, {
    audit: { action: 'image.upload', targetType: 'image', targetId: row.id, ...(actor ? { actor } : {}) },
    statements: [
      stillAsRead(ctx, row),
      ctx.db
        .update(images)
        .set({ status: upload.status, blobKey: key, updatedAtMs: changedAtMs(ctx, row) })
        .where(eq(images.id, row.id)),
      ctx.db.insert(looseBlobs).values({ key, region: ctx.region, afterMs: ctx.clock.nowMs() + UPLOAD_LEASE_MS }),
    ],
  });
  return upload;
}

/**
 * Stores the data of a claimed upload and makes its image active. When the data does not come whole or will not do, the
 * image is queued again and what was written is removed. It goes on after the answer when the client goes away, to clean up.
 * @throws ApiError 400 data that broke off; 410 deleted meanwhile; 413 too large; 415 not of its format, or unsafe to
 *   open; 503 the store failed
 */
export function storeUpload(ctx: Context, upload: Upload, input: UploadInput): Promise<void> {
  const work = finishUpload(ctx, upload, input);
  ctx.waitUntil(work.catch(() => {}));
  return work;
}

async function finishUpload(ctx: Context, upload: Upload, input: UploadInput): Promise<void> {
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

const isRunning = ({ row, status, key }: Upload): SQL | undefined =>
  and(eq(images.id, row.id), eq(images.status, status), eq(images.blobKey, key));

/** Renews the upload's lease as data comes. @throws ApiError 410 (from what it returns) when the image is gone */
function leaseRenewer(ctx: Context, upload: Upload): () => Promise<void> {
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
async function activate(ctx: Context, upload: Upload, data: ReceivedData): Promise<void> {
  const { row, key, status, actor } = upload;
  const held = sql`EXISTS (SELECT 1 FROM images, loose_blobs WHERE images.id = ${row.id} AND images.status = ${status}
    AND images.blob_key = ${key} AND loose_blobs.key = ${key})`;
  const update: Statement = ctx.db
    .update(images)
    .set({ ...data, status: 'active', updatedAtMs: sql`max(${ctx.clock.nowMs()}, updated_at_ms + 1)` })
    .where(eq(images.id, row.id));
  try {
    await commit(ctx, {
      audit: {
        action: 'image.activate',
        targetType: 'image',
        targetId: row.id,
        detail: { sizeBytes: data.sizeBytes, sha256: data.sha256 },
        ...(actor ? { actor } : {}),
      },
      statements: [
        assertThat(ctx.db, 'upload-held', held),
        update,
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
async function abandonUpload(ctx: Context, upload: Upload): Promise<void> {
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
