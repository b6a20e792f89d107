import { and, eq, inArray, lt, sql } from 'drizzle-orm';
import { images, looseBlobs } from '../../db/schema/image.ts';
import { commitAll } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { releaseData } from './kept-data.ts';
import { SWEEP_BLOBS_MAX } from './limits.ts';

/**
 * Removes a loose blob, then the note of it. Never throws: what fails here is done again by the sweep.
 * Only for a blob that nobody writes any more.
 */
export async function dropLooseBlob(ctx: Context, key: string): Promise<void> {
  try {
    await ctx.blobs.delete(key);
    await commitAll(ctx, [ctx.db.delete(looseBlobs).where(eq(looseBlobs.key, key))]);
  } catch (error) {
    ctx.log.error('blob-not-dropped', { key, error: String(error) });
  }
}

/** Removes a blob at once if it is loose, rather than wait for the sweep. */
export async function dropIfLoose(ctx: Context, key: string): Promise<void> {
  const [loose] = await ctx.db.select().from(looseBlobs).where(eq(looseBlobs.key, key));
  if (loose) await dropLooseBlob(ctx, key);
}

/**
 * Removes blobs whose time has come, at most `SWEEP_BLOBS_MAX`, and puts images whose upload was lost back to `queued`,
 * so that they may be uploaded to again. For the region's alarm.
 * @returns how many blobs were removed
 */
export async function sweepLooseBlobs(ctx: Context): Promise<number> {
  const nowMs = ctx.clock.nowMs();
  const due = ctx.db
    .select({ key: looseBlobs.key })
    .from(looseBlobs)
    .where(and(eq(looseBlobs.region, ctx.region), lt(looseBlobs.afterMs, nowMs)))
    .orderBy(looseBlobs.afterMs)
    .limit(SWEEP_BLOBS_MAX);
  const results = await commitAll(ctx, [
    ...releaseData(ctx),
    ctx.db
      .update(images)
      .set({ status: 'queued', blobKey: null, updatedAtMs: sql`max(${nowMs}, updated_at_ms + 1)` })
      // Literal, so that the index of running uploads serves it.
      .where(sql`images.status IN ('saving', 'uploading') AND ${inArray(images.blobKey, due)}`),
    due,
  ]);
  const keys = (results.at(-1) as { key: string }[]).map((row) => row.key);
  if (keys.length === 0) return 0;
  await Promise.all(keys.map((key) => ctx.blobs.delete(key)));
  await commitAll(ctx, [
    ctx.db.delete(looseBlobs).where(and(inArray(looseBlobs.key, keys), lt(looseBlobs.afterMs, nowMs))),
  ]);
  return keys.length;
}
