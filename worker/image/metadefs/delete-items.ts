import { and, eq } from 'drizzle-orm';
import { metadefItems } from '../../../db/schema/metadefs.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { findNamespace, refuseProtected, stillUnprotected } from './find-namespace.ts';
import { isItem } from './item-statements.ts';
import type { Kind } from './kinds.ts';
import { findItem } from './show-item.ts';

/** Takes an item from its namespace. @throws ApiError 403 not allowed, or protected; 404 */
export async function deleteItem(ctx: ActorContext, kind: Kind, namespace: string, name: string): Promise<void> {
  const found = await findItem(ctx, kind, namespace, name, kind.remove);
  refuseProtected(found.namespace, `${kind.kind} ${name}`);
  await commit(ctx, {
    audit: {
      ...{ action: `metadef.${kind.kind}.delete`, targetType: 'metadef_namespace', targetId: found.namespace.id },
      detail: { name },
    },
    statements: [
      stillUnprotected(ctx, found.namespace),
      ctx.db.delete(metadefItems).where(isItem(found.namespace.id, kind.kind, name)),
    ],
  });
}

/** Takes all items of a kind from a namespace. @throws ApiError 403 not allowed, or protected; 404 */
export async function deleteItems(ctx: ActorContext, kind: Kind, namespace: string): Promise<void> {
  const row = await findNamespace(ctx, namespace, ...kind.removeAll);
  refuseProtected(row, `namespace ${namespace}`);
  await commit(ctx, {
    audit: { action: `metadef.${kind.kind}.delete-all`, targetType: 'metadef_namespace', targetId: row.id },
    statements: [
      stillUnprotected(ctx, row),
      ctx.db.delete(metadefItems).where(and(eq(metadefItems.namespaceId, row.id), eq(metadefItems.kind, kind.kind))),
    ],
  });
}
