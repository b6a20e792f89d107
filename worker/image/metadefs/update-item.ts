import { metadefItems } from '../../../db/schema/metadefs.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { isItem, itemFault } from './item-statements.ts';
import type { Kind } from './kinds.ts';
import type { ItemRow } from './rows.ts';
import { findItem } from './show-item.ts';

/** Replaces an item of a namespace, its name too. @throws ApiError 403, 404; 409 the new name is taken */
export async function updateItem(
  ctx: ActorContext,
  kind: Kind,
  namespace: string,
  name: string,
  { name: newName, ...body }: { name: string },
): Promise<ItemRow> {
  const { item } = await findItem(ctx, kind, namespace, name, kind.modify);
  const set = { name: newName, body, updatedAtMs: ctx.clock.nowMs() };
  try {
    await commit(ctx, {
      audit: {
        ...{ action: `metadef.${kind.kind}.update`, targetType: 'metadef_namespace', targetId: item.namespaceId },
        detail: { name, newName },
      },
      statements: [
        ctx.db
          .update(metadefItems)
          .set(set)
          .where(isItem(item.namespaceId, kind.kind, name)),
      ],
    });
  } catch (error) {
    throw itemFault(
      error,
      `Invalid update. It would result in a duplicate ${kind.noun} with same name=${newName} in namespace=${namespace}.`,
    );
  }
  return { ...item, ...set };
}
