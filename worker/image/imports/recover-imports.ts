import { sql } from 'drizzle-orm';
import type { Context } from '../../http/context.ts';
import { IMPORT_RECOVERIES_MAX, IMPORT_START_MS } from '../limits.ts';

/** Begins imports again that nobody began, or whose worker is lost: its blob has no lease any more. For the region's alarm. */
export async function recoverImports(ctx: Context): Promise<void> {
  const nowMs = ctx.clock.nowMs();
  const lost = await ctx.db.all<{ id: string }>(sql`
    SELECT image_tasks.id FROM image_tasks
    WHERE image_tasks.region = ${ctx.region} AND image_tasks.status IN ('pending', 'processing')
      AND image_tasks.updated_at_ms < ${nowMs - IMPORT_START_MS}
      AND NOT EXISTS (SELECT 1 FROM images JOIN loose_blobs ON loose_blobs.key = images.blob_key
        WHERE images.id = image_tasks.image_id AND images.status = 'importing' AND loose_blobs.after_ms >= ${nowMs})
    ORDER BY image_tasks.updated_at_ms LIMIT ${IMPORT_RECOVERIES_MAX}`);
  for (const { id } of lost) ctx.imports.start(id);
}
