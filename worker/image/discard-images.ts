import { type SQL, sql } from 'drizzle-orm';
import type { Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';

/**
 * Deletes images that the cloud itself made and no longer needs, for the caller's batch; the sweep removes their data once
 * no server is of them.
 * @param imageIds - as SQL for `IN (...)`: it must select the same ids until the last statement has run
 */
export function discardImages(ctx: Context, imageIds: SQL): Statement[] {
  const nowMs = ctx.clock.nowMs();
  return [
    ctx.db.run(sql`DELETE FROM image_members WHERE image_id IN (${imageIds})`),
    ctx.db.run(sql`
      UPDATE images SET status = 'deleted', blob_key = CASE WHEN status = 'active' THEN blob_key END, properties = '{}',
        tags = '[]', updated_at_ms = max(${nowMs}, updated_at_ms + 1)
      WHERE id IN (${imageIds})`),
  ];
}
