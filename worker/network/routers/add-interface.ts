import { eq, sql } from 'drizzle-orm';
import { ipAllocations, ports } from '../../../db/schema/network.ts';
import { routers } from '../../../db/schema/routers.ts';
import { commit, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { assertRevision, assertUnchanged, whileRacing } from '../api/races.ts';
import { visibleNetworks } from '../api/visibility.ts';
import { aroundNetworks, rejoin } from '../edge/routers-on.ts';
import { ipAddressInUse } from '../faults.ts';
import { checkedAddress } from '../ipam/port-addresses.ts';
import { cryptoRandom, type Random } from '../ipam/random.ts';
import { enforce } from '../policy.ts';
import { devicePort } from '../ports/device-port.ts';
import { insertPorts } from '../ports/port-statements.ts';
import { showPort } from '../ports/show-port.ts';
import { showSubnet } from '../subnets/show-subnet.ts';
import { checkSubnets } from './check-subnets.ts';
import { badRouter, portInUse } from './faults.ts';
import { type InterfaceView, interfaceView, type WantedInterface } from './interface-view.ts';
import { interfacesOf, type RouterRow, showRouter } from './router-rows.ts';

const OWNER = 'network:router_interface';

/** An interface to be: its port, the subnets that it adds, and what writes it. */
interface Plan {
  port: { id: string; networkId: string };
  /** Whose the network is. */
  networkProjectId: string;
  subnetIds: string[];
  statements: Statement[];
}

/**
 * Joins a network to a router: by a subnet, whose gateway the router is from now on, or by a port with its addresses.
 * @throws ApiError 400 a subnet that the router cannot have, 403, 404 not seen, 409 port or address in use
 */
export function addInterface(
  ctx: ActorContext,
  id: string,
  wanted: WantedInterface,
  random: Random = cryptoRandom,
): Promise<InterfaceView> {
  if (wanted.portId !== undefined && wanted.subnetId !== undefined) {
    throw badRouter('Cannot specify both subnet-id and port-id');
  }
  return whileRacing(async () => {
    const row = await showRouter(ctx, id);
    enforce(ctx, 'add_router_interface', { projectId: row.projectId });
    const plan = await (wanted.portId === undefined
      ? bySubnet(ctx, row, wanted.subnetId ?? '', random)
      : byPort(ctx, row, wanted.portId));
    enforce(ctx, 'add_router_interface:network_owner', { projectId: plan.networkProjectId });
    const around = aroundNetworks([...interfacesOf(row).map((port) => port.networkId), plan.port.networkId]);
    await commit(ctx, {
      audit: {
        action: 'add_router_interface',
        targetType: 'router',
        targetId: row.id,
        detail: { portId: plan.port.id, subnetIds: plan.subnetIds },
      },
      touches: around,
      statements: [
        assertRevision(ctx, 'routers', row),
        assertUnchanged(
          ctx,
          sql`EXISTS (SELECT 1 FROM networks WHERE id = ${plan.port.networkId} AND ${visibleNetworks(ctx)})`,
        ),
        ...plan.statements,
        ctx.db
          .update(routers)
          .set({ revision: sql`revision + 1`, updatedAtMs: ctx.clock.nowMs() })
          .where(eq(routers.id, row.id)),
        ...rejoin(ctx, around),
      ],
    });
    return interfaceView(row, plan.port, plan.subnetIds);
  });
}

const hasIpv6 = (port: { addresses: { ipAddress: string }[] }) =>
  port.addresses.some(({ ipAddress }) => ipAddress.includes(':'));

async function bySubnet(ctx: ActorContext, row: RouterRow, subnetId: string, random: Random): Promise<Plan> {
  const subnet = await showSubnet(ctx, subnetId);
  if (subnet.gatewayIp === null) throw badRouter('Subnet for router interface must have a gateway IP');
  if (subnet.ipVersion === 6 && subnet.ipv6RaMode === null && subnet.ipv6AddressMode !== null) {
    throw badRouter(
      `IPv6 subnet ${subnet.id} configured to receive RAs from an external router cannot be added to Neutron Router.`,
    );
  }
  checkSubnets(row.ports, [subnet], 'interfaces');
  const address = checkedAddress([subnet], subnet.gatewayIp);
  if (!address) throw badRouter('Subnet for router interface must have a gateway IP on it');
  const [taken] = await ctx.db
    .select({ portId: ipAllocations.portId })
    .from(ipAllocations)
    .where(sql`subnet_id = ${subnet.id} AND host_offset = ${address.hostOffset}`);
  if (taken) throw ipAddressInUse(address.ipAddress, subnet.id);
  // A router has one port for all IPv6 subnets of a network.
  const before =
    subnet.ipVersion === 6
      ? interfacesOf(row).find((port) => port.networkId === subnet.networkId && hasIpv6(port))
      : undefined;
  if (before) {
    const position = before.addresses.length;
    return {
      port: before,
      networkProjectId: subnet.networkProjectId,
      subnetIds: [subnet.id],
      statements: [ctx.db.insert(ipAllocations).values({ ...address, portId: before.id, position })],
    };
  }
  const device = {
    projectId: row.projectId,
    networkId: subnet.networkId,
    deviceId: row.id,
    deviceOwner: OWNER,
    random,
  };
  const port = { row: devicePort(ctx, device), addresses: [address], groupIds: [] };
  return {
    port: port.row,
    networkProjectId: subnet.networkProjectId,
    subnetIds: [subnet.id],
    statements: insertPorts(ctx, [port]),
  };
}

async function byPort(ctx: ActorContext, row: RouterRow, portId: string): Promise<Plan> {
  const port = await showPort(ctx, portId);
  if (port.deviceId !== '' || port.runnerId !== null) throw portInUse(port);
  if (port.addresses.length === 0) throw badRouter('Router port must have at least one fixed IP');
  const existing = interfacesOf(row).find((one) => one.networkId === port.networkId && hasIpv6(one));
  if (existing && hasIpv6(port)) {
    throw badRouter(
      `Cannot have multiple router ports with the same network id if both contain IPv6 subnets. Existing port ${existing.id} has IPv6 subnet(s) and network id ${port.networkId}`,
    );
  }
  const found = await Promise.all(port.addresses.map(({ subnetId }) => showSubnet(ctx, subnetId)));
  checkSubnets(row.ports, found, 'interfaces');
  if (found.filter((subnet) => subnet.ipVersion === 4).length > 1) {
    throw badRouter('Cannot have multiple IPv4 subnets on router port');
  }
  return {
    port,
    networkProjectId: port.networkProjectId,
    subnetIds: found.map((subnet) => subnet.id),
    statements: [
      assertRevision(ctx, 'ports', port),
      ctx.db
        .update(ports)
        .set({
          deviceId: row.id,
          deviceOwner: OWNER,
          status: 'ACTIVE',
          revision: sql`revision + 1`,
          updatedAtMs: ctx.clock.nowMs(),
        })
        .where(eq(ports.id, port.id)),
    ],
  };
}
