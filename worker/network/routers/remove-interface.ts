import { eq, sql } from 'drizzle-orm';
import { ipAllocations, ports } from '../../../db/schema/network.ts';
import { routers } from '../../../db/schema/routers.ts';
import { AssertionFailed, assertThat, commit, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { assertRevision, whileRacing } from '../api/races.ts';
import { aroundNetworks, rejoin } from '../edge/routers-on.ts';
import { enforce } from '../policy.ts';
import { showSubnet } from '../subnets/show-subnet.ts';
import { isIn } from './check-routes.ts';
import {
  interfaceInUseByFloatingIp,
  interfaceInUseByRoute,
  interfaceNotFound,
  interfaceNotFoundForSubnet,
  subnetMismatch,
} from './faults.ts';
import { type InterfaceView, interfaceView, type WantedInterface } from './interface-view.ts';
import { interfacesOf, type RouterPort, type RouterRow, showRouter } from './router-rows.ts';

const NO_FLOATING_IPS = 'no-floating-ips';

/**
 * Takes an interface from a router: its port goes; of several IPv6 subnets on one, by subnet, only that subnet's address.
 * @throws ApiError 403, 404 not seen or no such interface, 409 floating IPs or routes need it, or port and subnet do not match
 */
export function removeInterface(ctx: ActorContext, id: string, wanted: WantedInterface): Promise<InterfaceView> {
  return whileRacing(async () => {
    const row = await showRouter(ctx, id);
    enforce(ctx, 'remove_router_interface', { projectId: row.projectId });
    const port = await findInterface(ctx, row, wanted);
    const all = [...new Set(port.addresses.map((address) => address.subnetId))];
    const subnetIds = wanted.portId === undefined && wanted.subnetId !== undefined ? [wanted.subnetId] : all;
    refuseWhileRouted(row, port, subnetIds);
    const around = aroundNetworks(interfacesOf(row).map((one) => one.networkId));
    await commit(ctx, {
      audit: {
        action: 'remove_router_interface',
        targetType: 'router',
        targetId: row.id,
        detail: { portId: port.id, subnetIds },
      },
      touches: around,
      statements: [
        assertRevision(ctx, 'routers', row),
        ...subnetIds.map((subnetId) => assertThat(ctx.db, `${NO_FLOATING_IPS}:${subnetId}`, unneeded(row, subnetId))),
        removal(ctx, port, subnetIds.length === all.length ? undefined : subnetIds[0]),
        ctx.db
          .update(routers)
          .set({ revision: sql`revision + 1`, updatedAtMs: ctx.clock.nowMs() })
          .where(eq(routers.id, row.id)),
        ...rejoin(ctx, around),
      ],
    }).catch((error: unknown) => {
      if (!(error instanceof AssertionFailed) || !error.assertion.startsWith(NO_FLOATING_IPS)) throw error;
      throw interfaceInUseByFloatingIp(row.id, error.assertion.slice(NO_FLOATING_IPS.length + 1));
    });
    return interfaceView(row, port, subnetIds);
  });
}

/** Holds where no floating IP of the router leads to an address of a subnet, by itself or by forwarded ports. */
const unneeded = (row: RouterRow, subnetId: string) => sql`NOT EXISTS (SELECT 1 FROM floating_ips f
    JOIN ip_allocations a ON a.port_id = f.port_id AND a.ip_address = f.fixed_ip_address
    WHERE f.router_id = ${row.id} AND a.subnet_id = ${subnetId})
  AND NOT EXISTS (SELECT 1 FROM floating_ips f JOIN port_forwardings pf ON pf.floating_ip_id = f.id
    JOIN ip_allocations a ON a.port_id = pf.port_id AND a.ip_address = pf.internal_ip_address
    WHERE f.router_id = ${row.id} AND a.subnet_id = ${subnetId})`;

async function findInterface(ctx: ActorContext, row: RouterRow, wanted: WantedInterface): Promise<RouterPort> {
  const { portId, subnetId } = wanted;
  const has = (port: RouterPort) => port.addresses.some((address) => address.subnetId === subnetId);
  if (portId !== undefined) {
    const port = interfacesOf(row).find((one) => one.id === portId);
    if (!port) throw interfaceNotFound(row.id, portId);
    if (subnetId !== undefined && !has(port)) throw subnetMismatch(portId, subnetId);
    return port;
  }
  const port = interfacesOf(row).find(has);
  if (port) return port;
  await showSubnet(ctx, subnetId ?? '');
  throw interfaceNotFoundForSubnet(row.id, subnetId ?? '');
}

/** @throws ApiError 409 where a route's next hop is on a subnet that goes */
function refuseWhileRouted(row: RouterRow, port: RouterPort, subnetIds: string[]): void {
  for (const { subnetId, cidr } of port.addresses) {
    if (subnetIds.includes(subnetId) && row.routes.some(({ nexthop }) => isIn(cidr, nexthop))) {
      throw interfaceInUseByRoute(row.id, subnetId);
    }
  }
}

const removal = (ctx: ActorContext, port: RouterPort, onlySubnet: string | undefined): Statement =>
  onlySubnet === undefined
    ? ctx.db.delete(ports).where(eq(ports.id, port.id))
    : ctx.db.delete(ipAllocations).where(sql`port_id = ${port.id} AND subnet_id = ${onlySubnet}`);
