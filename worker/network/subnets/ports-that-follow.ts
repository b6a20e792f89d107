import { type SQL, sql } from 'drizzle-orm';
import { ports } from '../../../db/schema/network.ts';
import type { Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { runnersKnowing } from '../desired/drops.ts';
import { putNeighbors } from '../desired/neighbors.ts';
import { putGroupMembers, putPorts } from '../desired/puts.ts';
import { assertAutoAddressed, autoAddress, isAuto, portsThatFollow } from '../ipam/auto-addresses.ts';
import { listOf } from '../ports/port-statements.ts';

type Subnet = { id: string; networkId: string; cidr: string } & Parameters<typeof isAuto>[0];

/** A change of ports, for a batch that changes subnets; `touches` is a condition on `runners`. */
export interface Followed {
  statements: Statement[];
  touches: SQL;
}

/** What gives the ports that are there an address in new subnets whose guests make them. */
export async function followNew(ctx: ActorContext, subnets: Subnet[]): Promise<Followed> {
  const autos = subnets.filter(isAuto);
  const networkIds = [...new Set(autos.map(({ networkId }) => networkId))];
  if (networkIds.length === 0) return { statements: [], touches: sql`0` };
  const there = await ctx.db
    .select({ id: ports.id, networkId: ports.networkId, mac: ports.macAddress })
    .from(ports)
    .where(sql`ports.id IN (${portsThatFollow(listOf(networkIds))})`);
  const rows = autos.flatMap((subnet) =>
    there
      .filter(({ networkId }) => networkId === subnet.networkId)
      .map((port) => ({ portId: port.id, ...autoAddress(subnet, port.mac) })),
  );
  const insert = sql`INSERT INTO ip_allocations (subnet_id, host_offset, ip_address, port_id, position)
    SELECT new.value ->> '$.subnetId', new.value ->> '$.hostOffset', new.value ->> '$.ipAddress', new.value ->> '$.portId',
      (SELECT count(*) FROM ip_allocations has WHERE has.port_id = new.value ->> '$.portId') + new.key
    FROM json_each(${JSON.stringify(rows)}) new`;
  return followed(ctx, networkIds, [
    ctx.db.run(insert),
    assertAutoAddressed(ctx, sql`ports.network_id IN (${listOf(networkIds)})`),
  ]);
}

/** What takes from ports their addresses in a subnet whose guests make them, for before it goes. */
export function leaveOld(ctx: ActorContext, subnet: Subnet): Followed {
  if (!isAuto(subnet)) return { statements: [], touches: sql`0` };
  const left = sql`DELETE FROM ip_allocations WHERE subnet_id = ${subnet.id}
    AND port_id IN (${portsThatFollow(sql`${subnet.networkId}`)})`;
  return followed(ctx, [subnet.networkId], [ctx.db.run(left)]);
}

function followed(ctx: ActorContext, networkIds: string[], change: Statement[]): Followed {
  const ids = portsThatFollow(listOf(networkIds));
  const held = sql`EXISTS (SELECT 1 FROM desired held WHERE held.runner_id = ports.runner_id AND held.kind = 'port'
    AND held.id = ports.id AND held.deleted = 0)`;
  return {
    touches: runnersKnowing(ids),
    statements: [
      ...change,
      ctx.db
        .update(ports)
        .set({ revision: sql`revision + 1`, updatedAtMs: ctx.clock.nowMs() })
        .where(sql`id IN (${ids})`),
      putPorts(ctx.db, sql`ports.id IN (${ids}) AND ${held}`),
      putNeighbors(ctx.db, sql`ports.id IN (${ids})`),
      putGroupMembers(ctx.db, sql`port_security_groups.port_id IN (${ids})`),
    ],
  };
}
