import { eq, sql } from 'drizzle-orm';
import { images, looseBlobs } from '../../db/schema/image.ts';
import { type Offer, offerOf, offerRead } from '../billing/reports/quote.ts';
import { AssertionFailed, type AuditEntry, commit, type Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { badRequest, tooLarge } from '../http/errors.ts';
import { changedAtMs, stillAsRead } from './find-image.ts';
import { IMAGE_BYTES_MAX, UPLOAD_LEASE_MS } from './limits.ts';
import type { UploadInput } from './store-upload.ts';
import { roomRead, type SizeLimit, typedLimit, withinLimit } from './usage.ts';
import type { ImageRow } from './views.ts';

/** Data under way into an image that this claimed. */
export interface Upload {
  row: ImageRow;
  /** Of the blob; new for each upload, so that it tells them apart. */
  key: string;
  /** The image's while this runs. */
  status: 'saving' | 'uploading' | 'importing';
  /** What the data counts against. */
  limit: SizeLimit;
  /** What the project may still store. */
  roomBytes: number;
  /** What the image will be charged by, where its project was asked whether it can pay; null: it costs nothing. */
  offer: Offer | null;
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

/** What is said of the size before any data comes; bytes. @throws ApiError 413 more than an image may have */
export function declaredSize({ contentLength, declaredBytes }: UploadInput): number {
  const bytes = Math.max(contentLength ?? 0, declaredBytes ?? 0);
  if (bytes > IMAGE_BYTES_MAX) throw tooLarge('The provided image is too large.');
  return bytes;
}

export interface Claim {
  status: Upload['status'];
  action: string;
  limit: SizeLimit;
  declaredBytes: number;
  actor?: AuditEntry['actor'];
  /** Whether its project must be able to pay for the image, once its size is known. */
  pays?: boolean;
  /** What else is written with the claim. */
  statements?: Statement[];
}

/**
 * Claims an image for an upload, with a lease that the upload renews.
 * @throws AssertionFailed the image is no longer as it was read; ApiError 413 over what the project may have
 */
export async function claimUpload(ctx: Context, row: ImageRow, claim: Claim): Promise<Upload> {
  const { status, action, limit, declaredBytes, actor, pays = false, statements = [] } = claim;
  const key = `images/${row.id.slice(0, 2)}/${ctx.ids.uuid()}`;
  const by = actor ? { actor } : {};
  try {
    const results = await commit(ctx, {
      audit: { action, targetType: 'image', targetId: row.id, ...by },
      statements: [
        roomRead(ctx, row.projectId, limit),
        offerRead(ctx, 'image', 'default'),
        stillAsRead(ctx, row),
        withinLimit(ctx, row.projectId, limit, declaredBytes),
        ...(row.status === 'queued' ? [withinLimit(ctx, row.projectId, 'image_count_uploading', 1)] : []),
        ...statements,
        ctx.db
          .update(images)
          .set({ status, blobKey: key, staged: null, updatedAtMs: changedAtMs(ctx, row) })
          .where(eq(images.id, row.id)),
        ctx.db.insert(looseBlobs).values({ key, region: ctx.region, afterMs: ctx.clock.nowMs() + UPLOAD_LEASE_MS }),
      ],
    });
    const [room] = results[0] as { bytes: number }[];
    const offer = pays ? offerOf(results[1] as Record<string, unknown>[]) : null;
    return { row, key, status, limit, roomBytes: Math.max(0, room?.bytes ?? 0), offer, ...by };
  } catch (error) {
    throw error instanceof AssertionFailed ? typedLimit(error, row.projectId) : error;
  }
}
