import { sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import { ApiError, badRequest, conflict } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { updateFloatingIp } from '../../network/floating-ips/update-floating-ip.ts';
import { selectPorts } from '../../network/ports/port-rows.ts';
import { servedPort } from '../../network/server-ports.ts';
import { floatingIpAt } from '../legacy/floating-ips.ts';
import { policy } from '../policy.ts';
import { findServer } from '../servers/find-server.ts';

/**
 * Leads a floating IP to a server, from whichever it led to before.
 * @param fixedAddress - one of the server's; its first IPv4 address where nothing is said
 * @throws ApiError 400 no such address of the server, or no router leads there, 404 no such server or floating IP
 */
export async function addFloatingIp(
  ctx: ActorContext,
  id: string,
  { address, fixedAddress }: { address: string; fixedAddress: string | undefined },
): Promise<void> {
  const server = await findServer(ctx, id);
  authorize(ctx, policy, 'os_compute_api:os-floating-ips:add', { projectId: server.projectId });
  const ports = await selectPorts(ctx)
    .where(sql`ports.device_id = ${server.id} AND ${sql.raw(servedPort())}`)
    .orderBy(sql`ports.created_at_ms`, sql`ports.id`);
  const addresses = ports.flatMap((port) => port.addresses.map(({ ipAddress }) => ({ portId: port.id, ipAddress })));
  const fip = await floatingIpAt(ctx, address);
  if (addresses.length === 0) throw badRequest('No fixed IPs associated to instance');
  const fixed = addresses.find(({ ipAddress }) =>
    fixedAddress === undefined ? !ipAddress.includes(':') : ipAddress === fixedAddress,
  );
  if (!fixed) {
    throw badRequest(
      fixedAddress === undefined
        ? `Unable to associate floating IP ${address} to any fixed IPs for instance ${id}. Instance has no fixed IPv4 addresses to associate.`
        : 'Specified fixed address not assigned to instance',
    );
  }
  const changes = { port_id: fixed.portId, fixed_ip_address: fixed.ipAddress };
  await updateFloatingIp(ctx, { id: fip.id, changes, expectedRevision: undefined }).catch((error: unknown) => {
    if (!(error instanceof ApiError) || error.status === 403 || error.status >= 500) throw error;
    throw badRequest(
      `Unable to associate floating IP ${address} to fixed IP ${fixed.ipAddress} for instance ${id}. Error: ${error.message}`,
    );
  });
}

/** Takes a floating IP from a server. @throws ApiError 404 no such floating IP, 409 it does not lead to the server */
export async function removeFloatingIp(ctx: ActorContext, id: string, address: string): Promise<void> {
  const server = await findServer(ctx, id);
  authorize(ctx, policy, 'os_compute_api:os-floating-ips:remove', { projectId: server.projectId });
  const fip = await floatingIpAt(ctx, address);
  if (fip.port?.device_id !== server.id) {
    throw conflict(`Floating IP ${address} is not associated with instance ${id}.`);
  }
  await updateFloatingIp(ctx, { id: fip.id, changes: { port_id: null }, expectedRevision: undefined });
}
