import { type SQL, sql } from 'drizzle-orm';
import type { Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { discardImages } from './discard-images.ts';

/**
 * Deletes the oldest backups of one server and type, as many as there are beyond the limit, once a new one, which counts,
 * has its data. Those that are protected stay, and do not count. For the batch that notes the new backup's end.
 * @param imageId - of the new backup, as SQL; null where there is nothing to do
 * @param rotation - how many are to be kept, as SQL
 */
export function rotateBackups(ctx: Context, imageId: SQL, rotation: SQL): Statement[] {
  const alike = ['image_type', 'instance_uuid', 'backup_type'].map(
    (name) => sql`i.properties ->> ${name} = fresh.properties ->> ${name}`,
  );
  const surplus = sql`SELECT i.id FROM images fresh JOIN images i ON i.project_id = fresh.project_id AND i.region = fresh.region
    WHERE fresh.id = ${imageId} AND fresh.status = 'active' AND fresh.properties ->> 'image_type' = 'backup' AND ${rotation} IS NOT NULL
      AND i.status = 'active' AND NOT i.protected AND ${sql.join(alike, sql` AND `)}
    ORDER BY i.created_at_ms DESC, i.id LIMIT -1 OFFSET coalesce(${rotation}, 0)`;
  return discardImages(ctx, surplus);
}
