import { type SQL, sql } from 'drizzle-orm';
import { ipAllocations, portSecurityGroups, ports } from '../../../db/schema/network.ts';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { holdersOf, joinedNetworks, putNeighbors, putNeighborsOfNew } from '../desired/neighbors.ts';
import {
  knowsMembersOf,
  putAddressGroups,
  putGroupMembers,
  putNetworks,
  putPorts,
  putSecurityGroups,
} from '../desired/puts.ts';
import { knowingAddressesOf, placeAddressesOf } from '../edge/floating-ips-on.ts';
import { putRouters } from '../edge/routers-on.ts';
import type { Address } from '../ipam/address-picks.ts';
import { assertAutoAddressed } from '../ipam/auto-addresses.ts';
import { assertQuota } from '../quotas/assert-quota.ts';

export type PortRow = typeof ports.$inferSelect;

/** A port to write, with what hangs on it. */
export interface NewPort {
  row: PortRow;
  addresses: Address[];
  groupIds: string[];
}

/**
 * Statements that write ports with their addresses and groups, within their projects' quotas; the schema's keys refuse an
 * address or MAC that is taken.
 */
export function insertPorts(ctx: Context, news: NewPort[]): Statement[] {
  const addresses = news.flatMap(({ row, addresses }) =>
    addresses.map((address, position) => ({ ...address, portId: row.id, position })),
  );
  const groups = news.flatMap(({ row, groupIds }) => groupIds.map((groupId) => ({ portId: row.id, groupId })));
  return [
    ...(news.length > 0 ? [ctx.db.insert(ports).values(news.map(({ row }) => row))] : []),
    ...(addresses.length > 0 ? [ctx.db.insert(ipAllocations).values(addresses)] : []),
    ...(groups.length > 0 ? [ctx.db.insert(portSecurityGroups).values(groups)] : []),
    assertAutoAddressed(ctx, sql`ports.id IN (${listOf(news.map(({ row }) => row.id))})`),
    ...assertQuota(
      ctx,
      'port',
      news.map(({ row }) => row.projectId),
    ),
  ];
}

/** A list of values for `IN (...)`. */
export const listOf = (values: string[]): SQL =>
  values.length > 0
    ? sql.join(
        values.map((value) => sql`${value}`),
        sql`, `,
      )
    : sql`NULL`;

/**
 * Brings a runner's network, groups, ports and members in line with the rows of some of its ports, and tells the other
 * runners about the ports' memberships. Runs after those rows are written.
 * @param portIds - ids of ports that the runner serves or is to serve, as SQL for `IN (...)`
 */
export function putPortsOnRunner(ctx: Context, runnerId: string | SQL, portIds: SQL): Statement[] {
  const here = sql`runners.id = ${runnerId}`;
  return [
    putNetworks(
      ctx.db,
      sql`${here} AND networks.id IN (${joinedNetworks(sql`SELECT network_id FROM ports WHERE id IN (${portIds})`)})`,
    ),
    putNeighborsOfNew(ctx.db, runnerId),
    putSecurityGroups(
      ctx.db,
      sql`${here} AND security_groups.id IN (SELECT group_id FROM port_security_groups WHERE port_id IN (${portIds}))`,
    ),
    putPorts(ctx.db, sql`ports.id IN (${portIds})`, runnerId),
    putNeighbors(ctx.db, sql`ports.id IN (${portIds})`),
    putGroupMembers(ctx.db, sql`port_security_groups.port_id IN (${portIds})`),
    // A group that came to the runner in this batch needs all members it refers to; the others have them.
    putGroupMembers(ctx.db, sql`${here} AND holder.generation = runners.generation`),
    putAddressGroups(ctx.db, sql`${here} AND holder.generation = runners.generation`),
    ...putRouters(ctx, here),
    ...placeAddressesOf(ctx.db, portIds),
  ];
}

/**
 * The runners that `putPortsOnRunner` may change.
 * @param groupIds - the groups of those ports, @param networkIds - their networks, @param portIds - those that are not new; all as
 *   SQL for `IN (...)`
 */
export function touchedByPorts(runnerId: string | SQL, groupIds: SQL, networkIds: SQL, portIds: SQL): SQL {
  return sql`(runners.id = ${runnerId} OR ${knowsMembersOf(groupIds)} OR ${holdersOf(networkIds)}
    OR ${knowingAddressesOf(portIds)})`;
}
