import { sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { type PortWithPlace, selectPorts } from '../../network/ports/port-rows.ts';
import { servedPort } from '../../network/server-ports.ts';
import { type ComputeAction, policy } from '../policy.ts';
import { ownServer, serverNotFound } from '../servers/find-server.ts';

/** Ports that one guest has room for; the limit of `serverSpec`. */
export const PORTS_MAX = 26;
const SERVED = sql.raw(servedPort());

export const portNotFound = (portId: string) => notFound(`Port id ${portId} could not be found.`);

/** A server's port with the tag that its guest knows it by. */
export type ServerPort = PortWithPlace & { tag: string | null };

/** The tags of a server's ports by their ids, as JSON: what its host is told, or was before it was shelved. */
const TAGS = sql`(SELECT json_extract(coalesce((SELECT d.spec FROM desired d WHERE d.runner_id = servers.runner_id AND d.kind = 'server'
  AND d.id = servers.id AND d.deleted = 0), servers.shelved_spec), '$.metadata.device_tags'))`;

/** The ports of a server, first plugged first. @throws ApiError 404 */
export async function listInterfaces(
  ctx: ActorContext,
  serverId: string,
  action: ComputeAction = 'os_compute_api:os-attach-interfaces:list',
): Promise<ServerPort[]> {
  authorize(ctx, policy, action);
  const [[server], ports] = await ctx.db.batch([
    ctx.db.all<{ tags: string | null }>(
      sql`SELECT ${TAGS} AS tags FROM servers WHERE ${ownServer(ctx, serverId, 'servers')}`,
    ),
    selectPorts(ctx)
      .where(sql`ports.device_id = ${serverId} AND ports.region = ${ctx.region} AND ${SERVED}`)
      .orderBy(sql`ports.created_at_ms, ports.id`),
  ]);
  if (!server) throw serverNotFound(serverId);
  const tags = JSON.parse(server.tags ?? '{}') as Record<string, string>;
  return ports.map((port) => ({ ...port, tag: tags[port.id] ?? null }));
}

/** One of a server's ports. @throws ApiError 404 the server, or none of its ports */
export async function showInterface(ctx: ActorContext, serverId: string, portId: string): Promise<ServerPort> {
  const ports = await listInterfaces(ctx, serverId, 'os_compute_api:os-attach-interfaces:show');
  const port = ports.find((one) => one.id === portId);
  if (!port) throw portNotFound(portId);
  return port;
}

/** A server's port as Nova shows it. */
export function interfaceView(port: ServerPort, version: number) {
  return {
    net_id: port.networkId,
    port_id: port.id,
    mac_addr: port.macAddress,
    port_state: port.status,
    fixed_ips: port.addresses.map(({ subnetId, ipAddress }) => ({ subnet_id: subnetId, ip_address: ipAddress })),
    ...(version >= 70 ? { tag: port.tag } : {}),
  };
}
