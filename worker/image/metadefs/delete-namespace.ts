import { eq } from 'drizzle-orm';
import { metadefNamespaces } from '../../../db/schema/metadefs.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { findNamespace, refuseProtected, stillUnprotected } from './find-namespace.ts';

/** Deletes a namespace and all that it holds. @throws ApiError 403 not allowed, or protected; 404 */
export async function deleteNamespace(ctx: ActorContext, name: string): Promise<void> {
  const row = await findNamespace(ctx, name, 'delete_metadef_namespace');
  refuseProtected(row, `namespace ${name}`);
  await commit(ctx, {
    audit: { action: 'metadef.namespace.delete', targetType: 'metadef_namespace', targetId: row.id },
    statements: [stillUnprotected(ctx, row), ctx.db.delete(metadefNamespaces).where(eq(metadefNamespaces.id, row.id))],
  });
}
