import { resourceRoutes } from '../api/resource-routes.ts';
import { floatingIpAttributes } from './attributes.ts';
import { createFloatingIps } from './create-floating-ips.ts';
import { deleteFloatingIp } from './delete-floating-ip.ts';
import { floatingIpListing, floatingIpView, listFloatingIps, showFloatingIp } from './floating-ip-rows.ts';
import { updateFloatingIp } from './update-floating-ip.ts';

/** `/floatingips`: addresses outside that lead to guests. */
export const floatingIpRoutes = resourceRoutes({
  one: 'floatingip',
  many: 'floatingips',
  attributes: floatingIpAttributes,
  listing: floatingIpListing,
  view: floatingIpView,
  list: listFloatingIps,
  show: showFloatingIp,
  create: createFloatingIps,
  update: updateFloatingIp,
  remove: deleteFloatingIp,
});
