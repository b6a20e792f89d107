import { type SQL, sql } from 'drizzle-orm';
import type { Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import { isAdmin } from '../../http/policy.ts';
import { assertUnchanged } from '../api/races.ts';
import { alreadyAssociated } from '../floating-ips/faults.ts';
import { assertWay, findRouter } from '../floating-ips/find-router.ts';
import type { FloatingIpRow } from '../floating-ips/floating-ip-rows.ts';
import { showPort } from '../ports/show-port.ts';
import { badForward, type ForwardPlan } from './plan-forward.ts';

/** Where a forwarded port leads, with what must still hold when it is written. */
export interface CheckedForward {
  internalIpAddress: string;
  routerId: string;
  statements: Statement[];
}

/**
 * Whether a floating IP can forward ports to a guest's port.
 * @param id - the forwarded port's own id, which is not in its own way
 * @param fixedIp - the guest's address; its first one where nothing is said
 * @throws ApiError 400 an address that the port has not, no router that leads there, or ports that are forwarded already, 404 no
 *   such port, 409 a floating IP leads to the port by itself, or the floating IP to another
 */
export async function checkForward(
  ctx: ActorContext,
  fip: FloatingIpRow,
  { id, plan, fixedIp }: { id: string; plan: ForwardPlan; fixedIp: string | undefined },
): Promise<CheckedForward> {
  const port = await showPort(ctx, plan.portId);
  if (port.projectId !== fip.projectId && !isAdmin(ctx)) {
    throw badForward(`Port ${port.id} is owned by a different tenant`);
  }
  const ipv4 = port.addresses.filter(({ ipAddress }) => !ipAddress.includes(':'));
  if (ipv4.length === 0) throw badForward(`Requested internal port ${port.id} must allocate an IPv4 address at least`);
  const address = fixedIp === undefined ? ipv4[0] : ipv4.find(({ ipAddress }) => ipAddress === fixedIp);
  if (!address) {
    throw badForward(
      `Requested internal IP address ${fixedIp} is not suitable for internal neutron port ${port.id}, as its fixed_ips are ${ipv4.map(({ ipAddress }) => ipAddress).join(', ')}`,
    );
  }
  if (fip.portId !== null) throw alreadyAssociated(fip, port.id, address.ipAddress);
  const way = {
    portId: port.id,
    subnetId: address.subnetId,
    ipAddress: address.ipAddress,
    externalNetworkId: fip.floatingNetworkId,
  };
  const routerId = await findRouter(ctx, way);
  if (routerId === null) {
    throw badForward(
      `External network ${fip.floatingNetworkId} is not reachable from subnet ${address.subnetId}. Cannot set Port forwarding for port ${port.id} with Floating IP ${fip.id}`,
    );
  }
  if (fip.forwards.some((forward) => forward.id !== id) && fip.routerId !== routerId) {
    throw badForward(
      `The Floating IP ${fip.id} had been set on router ${fip.routerId}, the internal Neutron port ${port.id} can not reach it`,
    );
  }
  const bound = sql`SELECT 1 FROM floating_ips WHERE port_id = ${port.id}`;
  const taken = sql`SELECT 1 FROM port_forwardings other WHERE other.id <> ${id} AND other.protocol = ${plan.protocol} AND (
    (other.floating_ip_id = ${fip.id} AND ${meets(sql`other.external_first`, sql`other.external_last`, plan.externalFirst, plan.externalLast)})
    OR (other.port_id = ${port.id} AND other.internal_ip_address = ${address.ipAddress}
      AND ${meets(sql`other.internal_first`, sql`other.internal_last`, plan.internalFirst, plan.internalLast)}))`;
  const [found] = await ctx.db.all<{ bound: number; taken: number }>(
    sql`SELECT EXISTS (${bound}) AS bound, EXISTS (${taken}) AS taken`,
  );
  if (found?.bound) throw portHasFloatingIp(fip, port.id, address.ipAddress);
  if (found?.taken) {
    throw badForward(
      `A duplicate port forwarding entry with same attributes already exists, conflicting values are floatingip_id ${fip.id}, protocol ${plan.protocol}, external port ${plan.externalFirst}, internal port ${plan.internalFirst} of ${address.ipAddress}`,
    );
  }
  return {
    internalIpAddress: address.ipAddress,
    routerId,
    statements: [
      ...assertWay(ctx, way, routerId),
      assertUnchanged(ctx, sql`NOT EXISTS (${bound}) AND NOT EXISTS (${taken})`),
    ],
  };
}

/** Whether two ranges share a port; of a protocol without ports there is one range. */
const meets = (first: SQL, last: SQL, from: number | null, to: number | null): SQL =>
  from === null || to === null ? sql`1` : sql`${first} <= ${to} AND ${last} >= ${from}`;

const portHasFloatingIp = (fip: FloatingIpRow, portId: string, fixedIp: string) =>
  conflict(
    `Cannot create port forwarding to floating IP ${fip.floatingIpAddress} (${fip.id}) with port ${portId} using fixed IP ${fixedIp}, as that port already has a binding floating IP.`,
    'PortHasBindingFloatingIP',
  );
