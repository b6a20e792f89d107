import { and, eq } from 'drizzle-orm';
import { metadefItems } from '../../../db/schema/metadefs.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { findNamespace } from './find-namespace.ts';
import { insertItems, itemFault } from './item-statements.ts';

/**
 * Gives a namespace these tags, in place of those it has unless told to append.
 * @throws ApiError 403, 404; 409 one is there twice; 413 too many
 */
export async function createTags(
  ctx: ActorContext,
  namespace: string,
  names: string[],
  append: boolean,
): Promise<void> {
  const row = await findNamespace(ctx, namespace, 'add_metadef_tags');
  const isTag = and(eq(metadefItems.namespaceId, row.id), eq(metadefItems.kind, 'tag'));
  const items = names.map((name) => ({ kind: 'tag' as const, name, body: {} }));
  try {
    await commit(ctx, {
      audit: {
        ...{ action: 'metadef.tag.create', targetType: 'metadef_namespace', targetId: row.id },
        detail: { names, append },
      },
      statements: [...(append ? [] : [ctx.db.delete(metadefItems).where(isTag)]), ...insertItems(ctx, row.id, items)],
    });
  } catch (error) {
    throw itemFault(error, `A metadata tag with one of these names already exists in namespace=${namespace}.`);
  }
}
