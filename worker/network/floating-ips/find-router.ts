import { sql } from 'drizzle-orm';
import type { Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { assertUnchanged } from '../api/races.ts';

/** An address of a guest, and the network outside from where it is to be reached. */
export interface Way {
  portId: string;
  subnetId: string;
  ipAddress: string;
  externalNetworkId: string;
}

const routersOn = (way: Way) => sql`ports inside
  JOIN ip_allocations a ON a.port_id = inside.id AND a.subnet_id = ${way.subnetId}
  JOIN subnets s ON s.id = a.subnet_id
  JOIN ports gateway ON gateway.device_id = inside.device_id AND gateway.device_owner = 'network:router_gateway'
    AND gateway.network_id = ${way.externalNetworkId}
  WHERE inside.device_owner = 'network:router_interface'`;

/** The router that leads from a subnet to a network outside, that which is the subnet's gateway before others; null for none. */
export async function findRouter(ctx: ActorContext, way: Way): Promise<string | null> {
  const [row] = await ctx.db.all<{ id: string }>(
    sql`SELECT inside.device_id AS id FROM ${routersOn(way)} ORDER BY a.ip_address = s.gateway_ip DESC, inside.device_id LIMIT 1`,
  );
  return row?.id ?? null;
}

/** Statements that fail their batch where a router no longer leads there, or the port no longer has the address. */
export const assertWay = (ctx: ActorContext, way: Way, routerId: string): Statement[] => [
  assertUnchanged(ctx, sql`EXISTS (SELECT 1 FROM ${routersOn(way)} AND inside.device_id = ${routerId})`),
  assertUnchanged(
    ctx,
    sql`EXISTS (SELECT 1 FROM ip_allocations WHERE port_id = ${way.portId} AND subnet_id = ${way.subnetId} AND ip_address = ${way.ipAddress})`,
  ),
];
