import type { ActorContext } from '../../http/context.ts';
import { ApiError, badRequest } from '../../http/errors.ts';
import { updatePort } from '../../network/ports/update-port.ts';
import { listInterfaces } from '../interfaces/find-interfaces.ts';

/** Gives a server's port on a network one more address. @throws ApiError 400 no port there, or no address left; 404 */
export async function addFixedIp(ctx: ActorContext, serverId: string, networkId: string): Promise<void> {
  const ports = await listInterfaces(ctx, serverId, 'os_compute_api:os-multinic:add');
  const port = ports.find((one) => one.networkId === networkId);
  const [first] = port?.addresses ?? [];
  if (!port || !first) throw badRequest(`No fixed IP addresses available for network: ${networkId}`);
  const kept = port.addresses.map(({ subnetId, ipAddress }) => ({ subnet_id: subnetId, ip_address: ipAddress }));
  const fixed_ips = [...kept, { subnet_id: first.subnetId }];
  await updatePort(ctx, { id: port.id, changes: { fixed_ips }, expectedRevision: undefined }).catch(
    (error: unknown) => {
      throw error instanceof ApiError && error.status === 409 ? badRequest(error.message) : error;
    },
  );
}

/** Takes an address from a server. @throws ApiError 400 it has no such address, 404 */
export async function removeFixedIp(ctx: ActorContext, serverId: string, address: string): Promise<void> {
  const ports = await listInterfaces(ctx, serverId, 'os_compute_api:os-multinic:remove');
  const port = ports.find((one) => one.addresses.some(({ ipAddress }) => ipAddress === address));
  if (!port) throw badRequest(`Instance ${serverId} does not have fixed IP '${address}'.`);
  const fixed_ips = port.addresses
    .filter(({ ipAddress }) => ipAddress !== address)
    .map(({ subnetId, ipAddress }) => ({ subnet_id: subnetId, ip_address: ipAddress }));
  await updatePort(ctx, { id: port.id, changes: { fixed_ips }, expectedRevision: undefined });
}
