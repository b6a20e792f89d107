import { sql } from 'drizzle-orm';
import { metadefItems } from '../../../db/schema/metadefs.ts';
import { runBatch } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import type { ImageAction } from '../policy.ts';
import { namespaceRead, requireNamespace } from './find-namespace.ts';
import type { Kind } from './kinds.ts';
import type { ItemRow, NamespaceRow } from './rows.ts';

/** An item of a namespace, and the namespace. @param action - what is done to it. @throws ApiError 403, 404 */
export async function findItem(
  ctx: ActorContext,
  kind: Kind,
  namespace: string,
  name: string,
  action: ImageAction,
): Promise<{ namespace: NamespaceRow; item: ItemRow }> {
  const [rows, items] = (await runBatch(ctx.db, [
    namespaceRead(ctx, namespace),
    ctx.db
      .select()
      .from(metadefItems)
      .where(sql`metadef_items.kind = ${kind.kind} AND metadef_items.name = ${name} AND metadef_items.namespace_id =
        (SELECT ns.id FROM metadef_namespaces AS ns WHERE ns.region = ${ctx.region} AND ns.name = ${namespace})`),
  ])) as [NamespaceRow[], ItemRow[]];
  const row = requireNamespace(ctx, namespace, rows[0], action);
  const [item] = items;
  if (!item) throw notFound(`The ${kind.noun} with name=${name} was not found in namespace=${namespace}.`);
  return { namespace: row, item };
}

/** An item of a namespace. @throws ApiError 403, 404 */
export async function showItem(ctx: ActorContext, kind: Kind, namespace: string, name: string): Promise<ItemRow> {
  return (await findItem(ctx, kind, namespace, name, kind.get)).item;
}
