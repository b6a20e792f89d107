import { eq, sql } from 'drizzle-orm';
import { addressGroups } from '../../../db/schema/address-groups.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import type { Update } from '../api/resource-routes.ts';
import { addressGroupNotFound } from '../faults.ts';
import { enforce, may } from '../policy.ts';
import { type AddressGroupRow, selectAddressGroups, showAddressGroup } from './address-group-rows.ts';
import type { addressGroupAttributes } from './attributes.ts';

/** Renames or describes an address group. @throws ApiError 403, 404 not seen, or only shared with the project */
export async function updateAddressGroup(
  ctx: ActorContext,
  { id, changes }: Update<typeof addressGroupAttributes>,
): Promise<AddressGroupRow> {
  const row = await showAddressGroup(ctx, id);
  const whose = { projectId: row.projectId };
  if (row.projectId !== ctx.actor.projectId && !may(ctx, 'update_address_group', whose)) throw addressGroupNotFound(id);
  enforce(ctx, 'update_address_group', whose);
  const results = await commit(ctx, {
    audit: { action: 'update_address_group', targetType: 'address_group', targetId: id, detail: { ...changes } },
    statements: [
      ctx.db
        .update(addressGroups)
        .set({
          name: changes.name ?? row.name,
          description: changes.description ?? row.description,
          revision: sql`revision + 1`,
          updatedAtMs: ctx.clock.nowMs(),
        })
        .where(eq(addressGroups.id, id)),
      selectAddressGroups(ctx).where(eq(addressGroups.id, id)),
    ],
  });
  return (results.at(-1) as AddressGroupRow[])[0] ?? row;
}
