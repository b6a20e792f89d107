import { inArray } from 'drizzle-orm';
import { addressGroups } from '../../../db/schema/address-groups.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { inOrder } from '../api/in-order.ts';
import type { New } from '../api/resource-routes.ts';
import { enforce } from '../policy.ts';
import { type AddressGroupRow, selectAddressGroups } from './address-group-rows.ts';
import type { addressGroupAttributes } from './attributes.ts';

/** Makes address groups, all or none. @returns them in the order asked for */
export async function createAddressGroups(
  ctx: ActorContext,
  inputs: New<typeof addressGroupAttributes>[],
): Promise<AddressGroupRow[]> {
  const now = ctx.clock.nowMs();
  const rows = inputs.map((input) => {
    enforce(ctx, 'create_address_group', { projectId: input.projectId });
    return {
      id: ctx.ids.uuid(),
      region: ctx.region,
      projectId: input.projectId,
      name: input.name,
      description: input.description,
      addresses: input.addresses ?? [],
      createdAtMs: now,
      updatedAtMs: now,
    };
  });
  const ids = rows.map((row) => row.id);
  const results = await commit(ctx, {
    audit: { action: 'create_address_group', targetType: 'address_group', targetId: ids[0] ?? '', detail: { ids } },
    statements: [
      ctx.db.insert(addressGroups).values(rows),
      selectAddressGroups(ctx).where(inArray(addressGroups.id, ids)),
    ],
  });
  return inOrder(results.at(-1) as AddressGroupRow[], ids);
}
