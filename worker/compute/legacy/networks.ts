import { asc } from 'drizzle-orm';
import { Hono } from 'hono';
import { networks } from '../../../db/schema/network.ts';
import { ApiError, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { listNetworks } from '../../network/networks/list-networks.ts';
import type { NetworkRow } from '../../network/networks/network-rows.ts';
import { actorOf, type ComputeContext, type ComputeEnv } from '../http/env.ts';
import { PAGE_MAX } from '../http/paging.ts';
import { policy } from '../policy.ts';
import { untilProxiesEnd } from './network-faults.ts';

/** `/os-networks` and `/os-tenant-networks`: networking's networks as Nova showed them until 2.35. */
export const networkRoutes = new Hono<ComputeEnv>();
export const tenantNetworkRoutes = new Hono<ComputeEnv>();

/** Members that only Nova's own networks had. */
const OF_NOVA_NETWORK = {
  ...{ bridge: null, bridge_interface: null, broadcast: null, cidr: null, cidr_v6: null, created_at: null },
  ...{ deleted: null, deleted_at: null, dhcp_server: null, dhcp_start: null, dns1: null, dns2: null },
  ...{ enable_dhcp: null, gateway: null, gateway_v6: null, host: null, injected: null, mtu: null, multi_host: null },
  ...{ netmask: null, netmask_v6: null, priority: null, rxtx_base: null, share_address: null, updated_at: null },
  ...{ vlan: null, vpn_private_address: null, vpn_public_address: null, vpn_public_port: null },
};
const networkView = (row: NetworkRow): object => ({
  ...OF_NOVA_NETWORK,
  id: row.id,
  label: row.name,
  project_id: row.projectId,
});
/** Nova knew networking's ranges of addresses no more. */
const tenantNetworkView = (row: NetworkRow): object => ({ id: row.id, label: row.name, cidr: 'None' });

const all = (c: ComputeContext): Promise<NetworkRow[]> =>
  listNetworks(actorOf(c), {
    where: undefined,
    orderBy: [asc(networks.createdAtMs), asc(networks.id)],
    limit: PAGE_MAX,
    reverse: false,
    fields: [],
    paged: false,
  });

async function one(c: ComputeContext): Promise<NetworkRow> {
  const row = (await all(c)).find(({ id }) => id === c.req.param('id'));
  if (!row) throw notFound('Network not found');
  return row;
}

/** What of networks Nova removed for good. */
const gone = () => {
  throw new ApiError(410, 'This resource is no longer available. No forwarding address is given.');
};

for (const [routes, name, view] of [
  [networkRoutes, 'os-networks', networkView],
  [tenantNetworkRoutes, 'os-tenant-networks', tenantNetworkView],
] as const) {
  routes.use(untilProxiesEnd);
  routes.get('/', async (c) => {
    authorize(actorOf(c), policy, `os_compute_api:${name}:list`);
    return c.json({ networks: (await all(c)).map(view) });
  });
  routes.get('/:id', async (c) => {
    authorize(actorOf(c), policy, `os_compute_api:${name}:show`);
    return c.json({ network: view(await one(c)) });
  });
  routes.post('/', gone);
  routes.post('/:rest{.+}', gone);
  routes.delete('/:id', gone);
}
