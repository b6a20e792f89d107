import { z } from 'zod';
import { parseBody } from '../../http/body.ts';
import { type AppContext, actorContext } from '../../http/context.ts';
import { createValues } from '../api/attributes.ts';
import { resourceRoutes } from '../api/resource-routes.ts';
import { addressGroupListing, addressGroupView, listAddressGroups, showAddressGroup } from './address-group-rows.ts';
import { addressesAttributes, addressGroupAttributes } from './attributes.ts';
import { addAddresses, removeAddresses } from './change-addresses.ts';
import { createAddressGroups } from './create-address-groups.ts';
import { deleteAddressGroup } from './delete-address-group.ts';
import { updateAddressGroup } from './update-address-group.ts';

/** What an action on addresses sends; some clients put it under the resource's name. */
async function sentAddresses(c: AppContext): Promise<string[]> {
  const body = await parseBody(c, z.record(z.string(), z.unknown()));
  const inner = z.record(z.string(), z.unknown()).safeParse(body.address_group);
  return createValues(addressesAttributes, inner.success ? inner.data : body).addresses;
}

/** `/address-groups`: named lists of ranges for rules. */
export const addressGroupRoutes = resourceRoutes({
  one: 'address_group',
  many: 'address_groups',
  attributes: addressGroupAttributes,
  listing: addressGroupListing,
  view: addressGroupView,
  list: listAddressGroups,
  show: showAddressGroup,
  create: createAddressGroups,
  update: updateAddressGroup,
  remove: deleteAddressGroup,
})
  .put('/:id/add_addresses', async (c) => {
    const ctx = actorContext(c);
    const row = await addAddresses(ctx, c.req.param('id'), await sentAddresses(c));
    return c.json({ address_group: addressGroupView(ctx, row) });
  })
  .put('/:id/remove_addresses', async (c) => {
    const ctx = actorContext(c);
    const row = await removeAddresses(ctx, c.req.param('id'), await sentAddresses(c));
    return c.json({ address_group: addressGroupView(ctx, row) });
  });
