import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { addressGroups } from '../../../db/schema/address-groups.ts';
import type { ActorContext } from '../../http/context.ts';
import { byBoolean, byText } from '../api/filters.ts';
import type { Listing, ListQuery } from '../api/listing.ts';
import { visibleOf } from '../api/visibility.ts';
import { addressGroupNotFound } from '../faults.ts';
import { EVERYONE, sharedWith, sharedWithMe } from '../rbac/shared-with.ts';

/** Address groups as they are shown; the caller adds conditions. */
export const selectAddressGroups = (ctx: ActorContext) =>
  ctx.db
    .select({
      ...getTableColumns(addressGroups),
      shared: sharedWithMe(ctx, 'address_group', sql`address_groups.id`),
    })
    .from(addressGroups);
export type AddressGroupRow = Awaited<ReturnType<typeof selectAddressGroups>>[number];

/** A page of the address groups that the actor sees. */
export function listAddressGroups(ctx: ActorContext, query: ListQuery): Promise<AddressGroupRow[]> {
  return selectAddressGroups(ctx)
    .where(and(visibleOf(ctx, 'address_group'), query.where))
    .orderBy(...query.orderBy)
    .limit(query.limit);
}

/** One address group. @throws ApiError 404 where there is none that the actor sees */
export async function showAddressGroup(ctx: ActorContext, id: string): Promise<AddressGroupRow> {
  const [row] = await selectAddressGroups(ctx).where(and(eq(addressGroups.id, id), visibleOf(ctx, 'address_group')));
  if (!row) throw addressGroupNotFound(id);
  return row;
}

/** An address group in the API's form. */
export const addressGroupView = (_ctx: ActorContext, row: AddressGroupRow) => ({
  id: row.id,
  name: row.name,
  description: row.description,
  project_id: row.projectId,
  tenant_id: row.projectId,
  addresses: row.addresses,
  shared: row.shared,
});

/** How address groups are filtered and sorted. */
export const addressGroupListing: Listing = {
  table: 'address_groups',
  filters: {
    id: byText(addressGroups.id),
    name: byText(addressGroups.name),
    description: byText(addressGroups.description),
    project_id: byText(addressGroups.projectId),
    tenant_id: byText(addressGroups.projectId),
    shared: byBoolean(sharedWith('address_group', sql`address_groups.id`, sql`${EVERYONE}`)),
  },
  sortKeys: {
    id: sql`address_groups.id`,
    name: sql`address_groups.name`,
    description: sql`address_groups.description`,
    project_id: sql`address_groups.project_id`,
    tenant_id: sql`address_groups.project_id`,
  },
};
