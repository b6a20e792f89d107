import { type SQL, sql } from 'drizzle-orm';
import { metadefItems, metadefNamespaces } from '../../../db/schema/metadefs.ts';
import { runBatch, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, notFound } from '../../http/errors.ts';
import { limitOf } from '../list-images.ts';
import { authorizeImage } from '../policy.ts';
import { namespaceRead, visibleNamespaces } from './find-namespace.ts';
import type { ItemRow, NamespaceRow } from './rows.ts';

export interface NamespacePage {
  rows: NamespaceRow[];
  /** What they are for, by the namespace's id. */
  resourceTypes: Map<string, ItemRow[]>;
  nextMarker: string | undefined;
}

const SORT_EXPRESSIONS: Record<string, (table: string) => string> = {
  id: (table) => `${table}.id`,
  namespace: (table) => `${table}.name`,
  display_name: (table) => `COALESCE(${table}.display_name, '')`,
  description: (table) => `COALESCE(${table}.description, '')`,
  visibility: (table) => `${table}.visibility`,
  protected: (table) => `${table}.protected`,
  owner: (table) => `COALESCE(${table}.project_id, '')`,
  created_at: (table) => `${table}.created_at_ms`,
  updated_at: (table) => `${table}.updated_at_ms`,
};

/** A page of the namespaces that the actor may see. @throws ApiError 400 a parameter that cannot be, 403, 404 no such marker */
export async function listNamespaces(ctx: ActorContext, query: URLSearchParams): Promise<NamespacePage> {
  authorizeImage(ctx, 'get_metadef_namespaces');
  authorizeImage(ctx, 'list_metadef_resource_types');
  const limit = limitOf(query.get('limit'));
  const { page, marker } = pageOf(ctx, query, limit);
  const statements: Statement[] = [page, ...(marker === undefined ? [] : [namespaceRead(ctx, marker)])];
  const [rows = [], markers] = (await runBatch(ctx.db, statements)) as NamespaceRow[][];
  if (markers?.length === 0) throw notFound(`Metadata definition namespace=${marker} was not found.`);
  return {
    rows,
    resourceTypes: await resourceTypesOf(ctx, rows),
    nextMarker: rows.length > 0 && rows.length === limit ? rows.at(-1)?.name : undefined,
  };
}

function pageOf(ctx: ActorContext, query: URLSearchParams, limit: number) {
  const marker = query.get('marker') ?? undefined;
  const direction = query.get('sort_dir') ?? 'desc';
  if (direction !== 'asc' && direction !== 'desc') throw badRequest(`Invalid sort direction: ${direction}`);
  const key = query.get('sort_key') ?? 'created_at';
  const expression = Object.hasOwn(SORT_EXPRESSIONS, key) ? SORT_EXPRESSIONS[key] : undefined;
  if (!expression) throw badRequest(`Sort key supplied was not valid: ${key}`);
  const conditions = [visibleNamespaces(ctx), ...filtersOf(query)];
  if (marker !== undefined) {
    conditions.push(sql`(${sql.raw(expression('metadef_namespaces'))}, metadef_namespaces.id)
      ${sql.raw(direction === 'asc' ? '>' : '<')} (SELECT ${sql.raw(expression('marker'))}, marker.id
      FROM metadef_namespaces AS marker WHERE marker.region = ${ctx.region} AND marker.name = ${marker})`);
  }
  const order = `${expression('metadef_namespaces')} ${direction}, metadef_namespaces.id ${direction}`;
  const page = ctx.db
    .select()
    .from(metadefNamespaces)
    .where(sql.join(conditions, sql` AND `))
    .orderBy(sql.raw(order))
    .limit(limit);
  return { page, marker };
}

function filtersOf(query: URLSearchParams): SQL[] {
  const [visibility, types] = [query.get('visibility'), query.get('resource_types')];
  if (visibility && visibility !== 'public' && visibility !== 'private') {
    throw badRequest(`Invalid visibility value: ${visibility}`);
  }
  const names = JSON.stringify(types?.split(',') ?? []);
  return [
    ...(visibility ? [sql`metadef_namespaces.visibility = ${visibility}`] : []),
    ...(types === null
      ? []
      : [
          sql`EXISTS (SELECT 1 FROM metadef_items WHERE metadef_items.namespace_id = metadef_namespaces.id
            AND metadef_items.kind = 'resource_type' AND metadef_items.name IN (SELECT value FROM json_each(${names})))`,
        ]),
  ];
}

async function resourceTypesOf(ctx: ActorContext, rows: NamespaceRow[]): Promise<Map<string, ItemRow[]>> {
  if (rows.length === 0) return new Map();
  const ids = JSON.stringify(rows.map((row) => row.id));
  const items = await ctx.db
    .select()
    .from(metadefItems)
    .where(
      sql`metadef_items.namespace_id IN (SELECT value FROM json_each(${ids})) AND metadef_items.kind = 'resource_type'`,
    );
  return Map.groupBy(items, (item) => item.namespaceId);
}
