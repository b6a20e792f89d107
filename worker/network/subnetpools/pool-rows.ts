import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { subnetpools } from '../../../db/schema/subnetpools.ts';
import type { ActorContext } from '../../http/context.ts';
import { byBoolean, byInteger, byText } from '../api/filters.ts';
import type { Listing, ListQuery } from '../api/listing.ts';
import { standardView } from '../api/views.ts';
import { visibleOf } from '../api/visibility.ts';
import { subnetpoolNotFound } from '../faults.ts';
import { EVERYONE, sharedWith, sharedWithMe } from '../rbac/shared-with.ts';
import { byTags } from '../tags/tag-filters.ts';

/** Subnet pools as they are shown; the caller adds conditions. */
export const selectPools = (ctx: ActorContext) =>
  ctx.db
    .select({ ...getTableColumns(subnetpools), shared: sharedWithMe(ctx, 'subnetpool', sql`subnetpools.id`) })
    .from(subnetpools);
export type PoolRow = Awaited<ReturnType<typeof selectPools>>[number];

/** A page of the subnet pools that the actor sees. */
export function listPools(ctx: ActorContext, query: ListQuery): Promise<PoolRow[]> {
  return selectPools(ctx)
    .where(and(visibleOf(ctx, 'subnetpool'), query.where))
    .orderBy(...query.orderBy)
    .limit(query.limit);
}

/** One subnet pool. @throws ApiError 404 where there is none that the actor sees */
export async function showPool(ctx: ActorContext, id: string): Promise<PoolRow> {
  const [row] = await selectPools(ctx).where(and(eq(subnetpools.id, id), visibleOf(ctx, 'subnetpool')));
  if (!row) throw subnetpoolNotFound(id);
  return row;
}

/** A subnet pool in the API's form. Lengths are text there. */
export const poolView = (_ctx: ActorContext, row: PoolRow) => ({
  id: row.id,
  name: row.name,
  ip_version: row.ipVersion,
  prefixes: row.prefixes,
  default_prefixlen: String(row.defaultPrefixlen),
  min_prefixlen: String(row.minPrefixlen),
  max_prefixlen: String(row.maxPrefixlen),
  default_quota: row.defaultQuota,
  is_default: row.isDefault,
  shared: row.shared,
  address_scope_id: row.addressScopeId,
  ...standardView(row),
});

/** How subnet pools are filtered and sorted. */
export const poolListing: Listing = {
  table: 'subnetpools',
  filters: {
    id: byText(subnetpools.id),
    name: byText(subnetpools.name),
    description: byText(subnetpools.description),
    tenant_id: byText(subnetpools.projectId),
    project_id: byText(subnetpools.projectId),
    ip_version: byInteger(subnetpools.ipVersion),
    default_prefixlen: byInteger(subnetpools.defaultPrefixlen),
    min_prefixlen: byInteger(subnetpools.minPrefixlen),
    max_prefixlen: byInteger(subnetpools.maxPrefixlen),
    default_quota: byInteger(subnetpools.defaultQuota),
    is_default: byBoolean(subnetpools.isDefault),
    address_scope_id: byText(subnetpools.addressScopeId),
    shared: byBoolean(sharedWith('subnetpool', sql`subnetpools.id`, sql`${EVERYONE}`)),
    ...byTags(subnetpools.tags),
    revision_number: byInteger(subnetpools.revision),
  },
  sortKeys: {
    id: sql`subnetpools.id`,
    name: sql`subnetpools.name`,
    tenant_id: sql`subnetpools.project_id`,
    project_id: sql`subnetpools.project_id`,
    ip_version: sql`subnetpools.ip_version`,
    default_prefixlen: sql`subnetpools.default_prefixlen`,
    min_prefixlen: sql`subnetpools.min_prefixlen`,
    max_prefixlen: sql`subnetpools.max_prefixlen`,
    is_default: sql`subnetpools.is_default`,
    created_at: sql`subnetpools.created_at_ms`,
    updated_at: sql`subnetpools.updated_at_ms`,
  },
};
