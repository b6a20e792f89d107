import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { findNamespace } from './find-namespace.ts';
import { insertItems, itemFault } from './item-statements.ts';
import type { Kind } from './kinds.ts';
import type { ItemRow } from './rows.ts';

/** Adds an object, a property or a tag to a namespace. @throws ApiError 403, 404; 409 it is there; 413 too many */
export async function createItem(
  ctx: ActorContext,
  kind: Kind,
  namespace: string,
  { name, ...body }: { name: string },
): Promise<ItemRow> {
  const row = await findNamespace(ctx, namespace, kind.add);
  const item = { kind: kind.kind, name, body };
  try {
    await commit(ctx, {
      audit: {
        ...{ action: `metadef.${kind.kind}.create`, targetType: 'metadef_namespace', targetId: row.id },
        detail: { name },
      },
      statements: insertItems(ctx, row.id, [item]),
    });
  } catch (error) {
    throw itemFault(error, `A ${kind.noun} with name=${name} already exists in namespace=${namespace}.`);
  }
  const nowMs = ctx.clock.nowMs();
  return { ...item, namespaceId: row.id, createdAtMs: nowMs, updatedAtMs: nowMs };
}
