import { eq, sql } from 'drizzle-orm';
import { subnets } from '../../../db/schema/network.ts';
import { AssertionFailed, assertThat, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import type { Updated } from '../api/attributes.ts';
import { assertRevision, checkRevision, whileRacing } from '../api/races.ts';
import { holds, putNetworks } from '../desired/puts.ts';
import { checkedPools, refuseGatewayIn } from '../ipam/pools.ts';
import { enforce } from '../policy.ts';
import type { subnetAttributes } from './attributes.ts';
import { keepDhcp } from './check-ipv6-modes.ts';
import { checkGateway, checkGuestSettings, parsed } from './plan-subnet.ts';
import { showSubnet } from './show-subnet.ts';
import { type SubnetWithNetwork, selectSubnets } from './subnet-rows.ts';

export interface SubnetUpdate {
  id: string;
  changes: Updated<typeof subnetAttributes>;
  expectedRevision: number | undefined;
}

const NO_ROUTER = 'no-router';

/**
 * Changes a subnet, and what the hosts of its network serve.
 * @throws ApiError 400 what does not fit together, 403 not allowed, 404 not seen, 409 gateway in a pool, 412 another revision
 */
export function updateSubnet(ctx: ActorContext, input: SubnetUpdate): Promise<SubnetWithNetwork> {
  return whileRacing(async () => {
    const row = await showSubnet(ctx, input.id);
    enforce(ctx, 'update_subnet', { projectId: row.networkProjectId });
    checkRevision(input.expectedRevision, row);
    const here = holds('network', sql`${row.networkId}`);
    const moves = input.changes.gateway_ip !== undefined && input.changes.gateway_ip !== row.gatewayIp;
    const results = await commit(ctx, {
      audit: { action: 'update_subnet', targetType: 'subnet', targetId: row.id, detail: { ...input.changes } },
      touches: here,
      statements: [
        assertRevision(ctx, 'subnets', row),
        ...(moves ? [assertThat(ctx.db, NO_ROUTER, unrouted(row))] : []),
        ctx.db
          .update(subnets)
          .set({ ...changed(row, input.changes), revision: sql`revision + 1`, updatedAtMs: ctx.clock.nowMs() })
          .where(eq(subnets.id, row.id)),
        putNetworks(ctx.db, sql`networks.id = ${row.networkId} AND ${here}`),
        selectSubnets(ctx).where(eq(subnets.id, row.id)),
      ],
    }).catch((error: unknown) => {
      throw error instanceof AssertionFailed && error.assertion === NO_ROUTER ? gatewayInUse(row) : error;
    });
    const [updated] = results.at(-1) as SubnetWithNetwork[];
    return updated ?? row;
  });
}

/** Holds where no port has the gateway's address: that of a router is the gateway. */
const unrouted = (row: SubnetWithNetwork) =>
  sql`NOT EXISTS (SELECT 1 FROM ip_allocations WHERE subnet_id = ${row.id} AND ip_address = ${row.gatewayIp})`;

const gatewayInUse = (row: SubnetWithNetwork) =>
  conflict(`Current gateway ip ${row.gatewayIp} already in use by a port. Unable to update.`, 'GatewayIpInUse');

function changed(row: SubnetWithNetwork, changes: SubnetUpdate['changes']) {
  const cidr = parsed(row.cidr);
  keepDhcp(row, changes.enable_dhcp);
  checkGuestSettings({ ...changes, ip_version: cidr.version });
  const gatewayIp = changes.gateway_ip === undefined ? row.gatewayIp : changes.gateway_ip;
  if (gatewayIp !== null) checkGateway(cidr, gatewayIp);
  const pools = changes.allocation_pools;
  const allocationPools = pools === undefined ? row.allocationPools : checkedPools(cidr, gatewayIp, pools);
  if (gatewayIp !== null) refuseGatewayIn(cidr, gatewayIp, allocationPools);
  return {
    gatewayIp,
    allocationPools,
    name: changes.name ?? row.name,
    description: changes.description ?? row.description,
    enableDhcp: changes.enable_dhcp ?? row.enableDhcp,
    dnsNameservers: changes.dns_nameservers ?? row.dnsNameservers,
    hostRoutes: changes.host_routes ?? row.hostRoutes,
  };
}
