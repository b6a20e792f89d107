import { sql } from 'drizzle-orm';
import { metadefItems } from '../../../db/schema/metadefs.ts';
import { runBatch } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { namespaceRead, requireNamespace } from './find-namespace.ts';
import type { ItemRow, NamespaceRow } from './rows.ts';

/** A namespace with all that it holds. @throws ApiError 404 */
export async function showNamespace(
  ctx: ActorContext,
  name: string,
): Promise<{ namespace: NamespaceRow; items: ItemRow[] }> {
  const [rows, items] = (await runBatch(ctx.db, [
    namespaceRead(ctx, name),
    ctx.db
      .select()
      .from(metadefItems)
      .where(sql`metadef_items.namespace_id =
        (SELECT ns.id FROM metadef_namespaces AS ns WHERE ns.region = ${ctx.region} AND ns.name = ${name})`),
  ])) as [NamespaceRow[], ItemRow[]];
  return { namespace: requireNamespace(ctx, name, rows[0]), items };
}
