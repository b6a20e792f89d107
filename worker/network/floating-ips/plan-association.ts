import { sql } from 'drizzle-orm';
import type { Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { isAdmin } from '../../http/policy.ts';
import { assertUnchanged } from '../api/races.ts';
import type { Address } from '../ipam/address-picks.ts';
import type { PortWithPlace } from '../ports/port-rows.ts';
import { showPort } from '../ports/show-port.ts';
import { type Associating, alreadyAssociated, badFloatingIp, gatewayNotFound, portHasForwards } from './faults.ts';
import { assertWay, findRouter } from './find-router.ts';

/** Whose a floating IP is to be: all of it, or nothing. */
export interface Association {
  portId: string | null;
  fixedIpAddress: string | null;
  routerId: string | null;
  /** What must still hold when it is written. */
  statements: Statement[];
}

export const NO_ASSOCIATION: Association = { portId: null, fixedIpAddress: null, routerId: null, statements: [] };

/**
 * Leads a floating IP to an address of a port.
 * @throws ApiError 400 another project's port, or an address that it has not or that is not to be told from others, 404 no such
 *   port, or no router leads there, 409 the address has a floating IP of that network already
 */
export async function planAssociation(
  ctx: ActorContext,
  fip: Associating,
  wanted: { portId: string; fixedIp: string | null | undefined },
): Promise<Association> {
  const port = await showPort(ctx, wanted.portId);
  if (port.projectId !== fip.projectId && !isAdmin(ctx)) {
    throw badFloatingIp(
      `Cannot process floating IP association with Port ${port.id}, since that port is owned by a different tenant`,
    );
  }
  const address = chooseAddress(port, wanted.fixedIp);
  const way = {
    portId: port.id,
    subnetId: address.subnetId,
    ipAddress: address.ipAddress,
    externalNetworkId: fip.floatingNetworkId,
  };
  const routerId = await findRouter(ctx, way);
  if (routerId === null) throw gatewayNotFound(fip.floatingNetworkId, address.subnetId, port.id);
  const associated = sql`SELECT 1 FROM floating_ips WHERE port_id = ${port.id} AND fixed_ip_address = ${address.ipAddress}
    AND floating_network_id = ${fip.floatingNetworkId} AND id <> ${fip.id}`;
  const forwarded = sql`SELECT 1 FROM port_forwardings WHERE port_id = ${port.id}`;
  const [found] = await ctx.db.all<{ associated: number; forwarded: number }>(
    sql`SELECT EXISTS (${associated}) AS associated, EXISTS (${forwarded}) AS forwarded`,
  );
  if (found?.forwarded) throw portHasForwards(port.id);
  if (found?.associated) throw alreadyAssociated(fip, port.id, address.ipAddress);
  return {
    portId: port.id,
    fixedIpAddress: address.ipAddress,
    routerId,
    statements: [...assertWay(ctx, way, routerId), assertUnchanged(ctx, sql`NOT EXISTS (${forwarded})`)],
  };
}

function chooseAddress(port: PortWithPlace, fixedIp: string | null | undefined): Address {
  const ipv4 = port.addresses.filter(({ ipAddress }) => !ipAddress.includes(':'));
  if (fixedIp) {
    if (fixedIp.includes(':')) {
      throw badFloatingIp(`Cannot process floating IP association with ${fixedIp}, since that is not an IPv4 address`);
    }
    const address = ipv4.find(({ ipAddress }) => ipAddress === fixedIp);
    if (!address) throw badFloatingIp(`Port ${port.id} does not have fixed ip ${fixedIp}`);
    return address;
  }
  const [address] = ipv4;
  if (!address) throw badFloatingIp(`Cannot add floating IP to port ${port.id} that has no fixed IPv4 addresses`);
  if (ipv4.length > 1) {
    throw badFloatingIp(
      `Port ${port.id} has multiple fixed IPv4 addresses.  Must provide a specific IPv4 address when assigning a floating IP`,
    );
  }
  return address;
}
