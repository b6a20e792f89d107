import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { addressScopes } from '../../../db/schema/subnetpools.ts';
import type { ActorContext } from '../../http/context.ts';
import { byBoolean, byInteger, byText } from '../api/filters.ts';
import type { Listing, ListQuery } from '../api/listing.ts';
import { visibleOf } from '../api/visibility.ts';
import { addressScopeNotFound } from '../faults.ts';
import { EVERYONE, sharedWith, sharedWithMe } from '../rbac/shared-with.ts';

/** Address scopes as they are shown; the caller adds conditions. */
export const selectScopes = (ctx: ActorContext) =>
  ctx.db
    .select({
      ...getTableColumns(addressScopes),
      shared: sharedWithMe(ctx, 'address_scope', sql`address_scopes.id`),
    })
    .from(addressScopes);
export type ScopeRow = Awaited<ReturnType<typeof selectScopes>>[number];

/** A page of the address scopes that the actor sees. */
export function listScopes(ctx: ActorContext, query: ListQuery): Promise<ScopeRow[]> {
  return selectScopes(ctx)
    .where(and(visibleOf(ctx, 'address_scope'), query.where))
    .orderBy(...query.orderBy)
    .limit(query.limit);
}

/** One address scope. @throws ApiError 404 where there is none that the actor sees */
export async function showScope(ctx: ActorContext, id: string): Promise<ScopeRow> {
  const [row] = await selectScopes(ctx).where(and(eq(addressScopes.id, id), visibleOf(ctx, 'address_scope')));
  if (!row) throw addressScopeNotFound(id);
  return row;
}

/** An address scope in the API's form. */
export const scopeView = (_ctx: ActorContext, row: ScopeRow) => ({
  id: row.id,
  name: row.name,
  tenant_id: row.projectId,
  project_id: row.projectId,
  ip_version: row.ipVersion,
  shared: row.shared,
});

/** How address scopes are filtered and sorted. */
export const scopeListing: Listing = {
  table: 'address_scopes',
  filters: {
    id: byText(addressScopes.id),
    name: byText(addressScopes.name),
    tenant_id: byText(addressScopes.projectId),
    project_id: byText(addressScopes.projectId),
    ip_version: byInteger(addressScopes.ipVersion),
    shared: byBoolean(sharedWith('address_scope', sql`address_scopes.id`, sql`${EVERYONE}`)),
  },
  sortKeys: {
    id: sql`address_scopes.id`,
    name: sql`address_scopes.name`,
    tenant_id: sql`address_scopes.project_id`,
    project_id: sql`address_scopes.project_id`,
    ip_version: sql`address_scopes.ip_version`,
  },
};
