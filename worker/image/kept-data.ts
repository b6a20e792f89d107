import { type SQL, sql } from 'drizzle-orm';
import type { Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';

/** The ids of the images that a server is started from, or rescued by. */
export const BOOT_IMAGES = sql.raw(
  ['$', '$.rescue']
    .flatMap((from) => ['image', 'kernel', 'ramdisk'].map((what) => `json_extract(desired.spec, '${from}.${what}.id')`))
    .join(', '),
);

/** Deleted images whose data is still there, and which no server needs that a machine should hold. Literal, for its index. */
const unneeded = (region: string): SQL => sql`
  images.region = ${region} AND images.status = 'deleted' AND images.blob_key IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM desired WHERE desired.kind = 'server' AND desired.deleted = 0 AND images.id IN (${BOOT_IMAGES}))`;

/**
 * Gives the data of deleted images to the sweep, but of those that servers were made of: such a server may move to a machine
 * that has no copy. For the caller's batch.
 */
export function releaseData(ctx: Context): Statement[] {
  const which = unneeded(ctx.region);
  return [
    ctx.db.run(sql`
      INSERT INTO loose_blobs (key, region, after_ms) SELECT blob_key, region, ${ctx.clock.nowMs()} FROM images WHERE ${which}`),
    ctx.db.run(sql`UPDATE images SET blob_key = NULL WHERE ${which}`),
  ];
}
