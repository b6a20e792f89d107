import { and, eq, type SQL, sql } from 'drizzle-orm';
import { images, looseBlobs } from '../../db/schema/image.ts';
import { admit } from '../billing/admission/admit.ts';
import { AssertionFailed, type AuditEntry, assertThat, commit, commitAll, type Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { ApiError, badRequest } from '../http/errors.ts';
import type { Upload } from './claim-upload.ts';
import { type DiskFormat, INSPECTED_CONTAINERS } from './formats.ts';
import { inspectHead, type VirtualSize } from './inspect-head.ts';
import { UPLOAD_LEASE_MS, UPLOAD_RENEW_MS } from './limits.ts';
import { type ReceivedData, receiveData } from './receive-data.ts';
import { typedLimit, withinLimit } from './usage.ts';
import type { ImageRow } from './views.ts';

export interface UploadInput {
  body: ReadableStream<Uint8Array>;
  /** The request's Content-Length, where it has one. */
  contentLength: number | undefined;
  /** What the client says that the data will be. */
  declaredBytes: number | undefined;
  /** Breaks it off. */
  signal?: AbortSignal;
}

type ImageSet = { [Column in keyof ImageRow]?: ImageRow[Column] | SQL };

/** What becomes of the image, and what else is written in the batch that says so. */
export interface Ending {
  action: string;
  set: ImageSet;
  statements: Statement[];
}

/** How an upload differs from one that makes its image active. */
export interface Course {
  /** @throws ApiError when the data will not do */
  inspect: (row: ImageRow, head: Uint8Array) => VirtualSize;
  done: (data: ReceivedData) => Ending;
  /** Said before the image is queued again; `running` holds while this upload still has the image. */
  failed: (error: unknown, running: SQL) => Omit<Ending, 'action'>;
  /** Told of each piece. */
  heard: () => void;
  /** Said as the lease is renewed. */
  progress: (sizeBytes: number, running: SQL) => Statement[];
}

/** An upload that makes its image active. */
export const ACTIVATION: Course = {
  inspect: inspectOf,
  done: (data) => ({ action: 'image.activate', set: { ...data, status: 'active' }, statements: [] }),
  failed: () => ({ set: {}, statements: [] }),
  heard: () => {},
  progress: () => [],
};

/** Looks at data that is the disk itself. @throws ApiError 415 not of the image's format, or unsafe to open */
export function inspectOf(row: ImageRow, head: Uint8Array): VirtualSize {
  return INSPECTED_CONTAINERS.has(row.containerFormat ?? '') ? inspectHead(head, row.diskFormat as DiskFormat) : null;
}

/**
 * Stores the data of a claimed upload and makes its image active. When the data does not come whole or will not do, the
 * image is queued again and what was written is removed. It goes on after the answer when the client goes away, to clean up.
 * @throws ApiError 400 data that broke off; 410 deleted meanwhile; 413 too large; 415 not of its format, or unsafe to
 *   open; 503 the store failed
 */
export function storeUpload(
  ctx: Context,
  upload: Upload,
  input: UploadInput,
  course: Course = ACTIVATION,
): Promise<void> {
  const work = finishUpload(ctx, upload, input, course);
  ctx.waitUntil(work.catch(() => {}));
  return work;
}

async function finishUpload(ctx: Context, upload: Upload, input: UploadInput, course: Course): Promise<void> {
  let data: ReceivedData;
  try {
    data = await receiveData(ctx, {
      body: input.body,
      signal: input.signal,
      key: upload.key,
      sizeBytes: input.contentLength,
      bytesMax: upload.roomBytes,
      inspect: (head) => course.inspect(upload.row, head),
      onPiece: leaseRenewer(ctx, upload, course),
    });
    if (input.declaredBytes !== undefined && input.declaredBytes !== data.sizeBytes) {
      throw badRequest(`The data has ${data.sizeBytes} bytes, not the ${input.declaredBytes} that were declared.`);
    }
  } catch (error) {
    await abandonUpload(ctx, upload, course, error);
    throw error;
  }
  await complete(ctx, upload, course, data);
}

/** Holds while the image is this upload's. For statements on `images`. */
const isRunning = ({ row, status, key }: Upload): SQL =>
  sql`images.id = ${row.id} AND images.status = ${status} AND images.blob_key = ${key}`;

/** The same for statements on other tables. */
const imageIsOurs = (upload: Upload): SQL => sql`EXISTS (SELECT 1 FROM images WHERE ${isRunning(upload)})`;

/** Renews the upload's lease as data comes. @throws ApiError 410 (from what it returns) when the image is gone */
function leaseRenewer(ctx: Context, upload: Upload, course: Course): (sizeBytes: number) => Promise<void> {
  let renewedMs = ctx.clock.nowMs();
  return async (sizeBytes) => {
    course.heard();
    const nowMs = ctx.clock.nowMs();
    if (nowMs - renewedMs < UPLOAD_RENEW_MS) return;
    renewedMs = nowMs;
    const [renewed] = (await commitAll(ctx, [
      ctx.db
        .update(looseBlobs)
        .set({ afterMs: nowMs + UPLOAD_LEASE_MS })
        .where(and(eq(looseBlobs.key, upload.key), imageIsOurs(upload)))
        .returning({ key: looseBlobs.key }),
      ...course.progress(sizeBytes, imageIsOurs(upload)),
    ])) as [unknown[]];
    if (renewed.length === 0) throw gone(upload);
  };
}

/**
 * Makes the data the image's own, unless the image was deleted or the upload taken for lost. When it is not known whether
 * the batch was written, nothing is removed: the sweep does, if it was not.
 */
async function complete(ctx: Context, upload: Upload, course: Course, data: ReceivedData): Promise<void> {
  const { row, key, actor, limit, offer } = upload;
  const { action, set, statements } = course.done(data);
  const held = sql`${imageIsOurs(upload)} AND EXISTS (SELECT 1 FROM loose_blobs WHERE loose_blobs.key = ${key})`;
  const entry: AuditEntry = {
    action,
    targetType: 'image',
    targetId: row.id,
    detail: { sizeBytes: data.sizeBytes, sha256: data.sha256 },
    ...(actor ? { actor } : {}),
  };
  try {
    await commit(ctx, {
      audit: entry,
      statements: [
        assertThat(ctx.db, 'upload-held', held),
        withinLimit(ctx, row.projectId, limit, data.sizeBytes),
        ...admit(ctx, offer, { projectId: row.projectId, resourceId: row.id, quantity: data.sizeBytes }),
        ...statements,
        updateImage(ctx, upload, set),
        ctx.db.delete(looseBlobs).where(eq(looseBlobs.key, key)),
      ],
    });
  } catch (error) {
    if (!(error instanceof AssertionFailed || error instanceof ApiError)) throw error;
    const told = toldOf(error, upload);
    await abandonUpload(ctx, upload, course, told);
    throw told;
  }
}

function toldOf(error: AssertionFailed | ApiError, upload: Upload): Error {
  if (error instanceof ApiError) return error;
  return error.assertion === 'upload-held' ? gone(upload) : typedLimit(error, upload.row.projectId);
}

function updateImage(ctx: Context, upload: Upload, set: ImageSet): Statement {
  return ctx.db
    .update(images)
    .set({ ...set, updatedAtMs: sql`max(${ctx.clock.nowMs()}, images.updated_at_ms + 1)` })
    .where(isRunning(upload));
}

/**
 * Removes what was written and queues the image again. What fails here is done by the sweep once the lease has ended.
 * Never throws.
 */
export async function abandonUpload(ctx: Context, upload: Upload, course: Course, cause: unknown): Promise<void> {
  const { row, key } = upload;
  try {
    const { set, statements } = course.failed(cause, imageIsOurs(upload));
    await ctx.blobs.delete(key);
    await commitAll(ctx, [
      ...statements,
      updateImage(ctx, upload, { status: 'queued', blobKey: null, ...set }),
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
