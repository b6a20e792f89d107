import { sql } from 'drizzle-orm';
import { metadefItems } from '../../../db/schema/metadefs.ts';
import { runBatch, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, notFound } from '../../http/errors.ts';
import { limitOf } from '../list-images.ts';
import { namespaceRead, requireNamespace } from './find-namespace.ts';
import type { Kind } from './kinds.ts';
import type { ItemKind, ItemRow, NamespaceRow } from './rows.ts';

const SORT_COLUMNS: Record<string, string> = { name: 'name', created_at: 'created_at_ms', updated_at: 'updated_at_ms' };
const ofNamespace = (ctx: ActorContext, name: string) =>
  sql`(SELECT ns.id FROM metadef_namespaces AS ns WHERE ns.region = ${ctx.region} AND ns.name = ${name})`;

/**
 * A namespace's items of a kind: all, or a page of them (`limit`, `marker`, `sort_key`, `sort_dir`).
 * @throws ApiError 400 a parameter that cannot be, 403, 404
 */
export async function listItems(
  ctx: ActorContext,
  { kind, list }: { kind: ItemKind; list: Kind['list'] },
  namespace: string,
  query = new URLSearchParams(),
): Promise<ItemRow[]> {
  const isOfKind = sql`metadef_items.namespace_id = ${ofNamespace(ctx, namespace)} AND metadef_items.kind = ${kind}`;
  const { column, direction, marker } = orderOf(query);
  const after = sql`(metadef_items.${sql.raw(column)}, metadef_items.name) ${sql.raw(direction === 'asc' ? '>' : '<')}
    (SELECT marker.${sql.raw(column)}, marker.name FROM metadef_items AS marker
      WHERE marker.namespace_id = metadef_items.namespace_id AND marker.kind = ${kind} AND marker.name = ${marker})`;
  const all = ctx.db
    .select()
    .from(metadefItems)
    .where(marker === null ? isOfKind : sql`${isOfKind} AND ${after}`)
    .orderBy(sql.raw(`metadef_items.${column} ${direction}, metadef_items.name ${direction}`));
  const limit = query.get('limit');
  const statements: Statement[] = [namespaceRead(ctx, namespace), limit === null ? all : all.limit(limitOf(limit))];
  if (marker !== null) {
    statements.push(ctx.db.select().from(metadefItems).where(sql`${isOfKind} AND metadef_items.name = ${marker}`));
  }
  const [rows, items, markers] = (await runBatch(ctx.db, statements)) as [NamespaceRow[], ItemRow[], ItemRow[]?];
  requireNamespace(ctx, namespace, rows[0], list);
  if (markers?.length === 0) throw notFound(`No ${kind} with name=${marker} was found in namespace=${namespace}.`);
  return items;
}

function orderOf(query: URLSearchParams) {
  const key = query.get('sort_key') ?? 'created_at';
  const column = Object.hasOwn(SORT_COLUMNS, key) ? SORT_COLUMNS[key] : undefined;
  if (!column) throw badRequest(`Sort key supplied was not valid: ${key}`);
  const direction = query.get('sort_dir') ?? 'desc';
  if (direction !== 'asc' && direction !== 'desc') throw badRequest(`Invalid sort direction: ${direction}`);
  return { column, direction, marker: query.get('marker') };
}
