import { eq, sql } from 'drizzle-orm';
import { addressGroups } from '../../../db/schema/address-groups.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, notFound } from '../../http/errors.ts';
import { assertRevision, whileRacing } from '../api/races.ts';
import { holds, putAddressGroups } from '../desired/puts.ts';
import { enforce } from '../policy.ts';
import { type AddressGroupRow, selectAddressGroups, showAddressGroup } from './address-group-rows.ts';
import { ADDRESSES_MAX } from './attributes.ts';

const listed = (addresses: string[]) => `[${addresses.map((one) => `'${one}'`).join(', ')}]`;

/** Adds ranges to an address group, and to the hosts that have it. @throws ApiError 400 there already, 403, 404 not seen */
export function addAddresses(ctx: ActorContext, id: string, addresses: string[]): Promise<AddressGroupRow> {
  return change(ctx, id, (has) => {
    const twice = addresses.filter((one) => has.includes(one));
    if (twice.length > 0) {
      throw badRequest(`Addresses ${listed(twice)} already exist in the address group ${id}.`, 'AddressesAlreadyExist');
    }
    if (has.length + addresses.length > ADDRESSES_MAX) {
      throw badRequest(`An address group has at most ${ADDRESSES_MAX} addresses.`);
    }
    return [...has, ...addresses];
  });
}

/** Takes ranges from an address group, and from the hosts that have it. @throws ApiError 403, 404 not seen, or not in it */
export function removeAddresses(ctx: ActorContext, id: string, addresses: string[]): Promise<AddressGroupRow> {
  return change(ctx, id, (has) => {
    const strange = addresses.filter((one) => !has.includes(one));
    if (strange.length > 0) {
      throw notFound(`Addresses ${listed(strange)} not found in the address group ${id}.`, 'AddressesNotFound');
    }
    return has.filter((one) => !addresses.includes(one));
  });
}

function change(ctx: ActorContext, id: string, of: (has: string[]) => string[]): Promise<AddressGroupRow> {
  return whileRacing(async () => {
    const row = await showAddressGroup(ctx, id);
    enforce(ctx, 'update_address_group', { projectId: row.projectId });
    const addresses = of(row.addresses);
    const results = await commit(ctx, {
      audit: { action: 'update_address_group', targetType: 'address_group', targetId: id, detail: { addresses } },
      touches: holds('address-group', sql`${id}`),
      statements: [
        assertRevision(ctx, 'address_groups', row),
        ctx.db
          .update(addressGroups)
          .set({ addresses, revision: sql`revision + 1`, updatedAtMs: ctx.clock.nowMs() })
          .where(eq(addressGroups.id, id)),
        putAddressGroups(ctx.db, sql`address_groups.id = ${id}`),
        selectAddressGroups(ctx).where(eq(addressGroups.id, id)),
      ],
    });
    return (results.at(-1) as AddressGroupRow[])[0] ?? row;
  });
}
