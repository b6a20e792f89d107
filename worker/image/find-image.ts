import { sql } from 'drizzle-orm';
import { images } from '../../db/schema/image.ts';
import { AssertionFailed, assertThat, type Statement } from '../http/commit.ts';
import type { ActorContext, Context } from '../http/context.ts';
import { conflict, notFound } from '../http/errors.ts';
import { allows } from '../http/policy.ts';
import { ATTEMPTS_MAX } from './limits.ts';
import { imagePolicy } from './policy.ts';
import type { ImageRow } from './views.ts';
import { visibleImages } from './visible.ts';

/** The read of an image by id, as far as the actor may see it; ids are compared without regard to case. */
export function imageRead(ctx: ActorContext, imageId: string) {
  return ctx.db
    .select()
    .from(images)
    .where(sql`images.id = ${imageId.toLowerCase()} AND ${visibleImages(ctx)}`);
}

/**
 * An image that the actor may see.
 * @throws ApiError 404
 */
export async function findImage(ctx: ActorContext, imageId: string): Promise<ImageRow> {
  return requireImage(ctx, imageId, (await imageRead(ctx, imageId))[0]);
}

/** Narrows what `imageRead` found. @throws ApiError 404 */
export function requireImage(ctx: ActorContext, imageId: string, row: ImageRow | undefined): ImageRow {
  if (!row || !allows(ctx, imagePolicy.get_image)) throw notFound(`No image found with ID ${imageId}`);
  return row;
}

/** The assertion after whose failure `againIfChanged` tries again. */
export const UNCHANGED = 'image-unchanged';

/** A statement that fails its batch when the image is no longer as it was read. */
export function stillAsRead(ctx: Context, row: ImageRow): Statement {
  const condition = sql`EXISTS (SELECT 1 FROM images WHERE images.id = ${row.id} AND images.status = ${row.status}
    AND images.updated_at_ms = ${row.updatedAtMs})`;
  return assertThat(ctx.db, UNCHANGED, condition);
}

/** The moment of a change: later than the one before, so that `stillAsRead` sees every change. Milliseconds. */
export function changedAtMs(ctx: Context, row: ImageRow): number {
  return Math.max(ctx.clock.nowMs(), row.updatedAtMs + 1);
}

/**
 * Runs a read and the write that depends on it, again when another write came between.
 * @throws ApiError 409 after several
 */
export async function againIfChanged<T>(attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof AssertionFailed) || error.assertion !== UNCHANGED) throw error;
      if (attempts >= ATTEMPTS_MAX) throw conflict('The image was changed by other requests meanwhile: try again.');
    }
  }
}
