import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.ts';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { AGENT_GATEWAY } from './specs.ts';

/*
 * A machine translates what its guests send to an external network to an address of its own there, as Neutron's distributed
 * routers do. A port of nobody keeps it. Which machine needs one follows from the networks that it is to hold.
 */

const OWNER = sql.raw(`'${AGENT_GATEWAY}'`);

/** Pairs of machines and external networks. @param where - a condition on `runners` */
const needed = (
  where: SQL,
): SQL => sql`SELECT DISTINCT runners.id AS runner_id, runners.region, g.network_id FROM runners
  JOIN desired held ON held.runner_id = runners.id AND held.kind = 'network' AND held.deleted = 0
  JOIN ports inside ON inside.network_id = held.id AND inside.device_owner = 'network:router_interface'
  JOIN routers r ON r.id = inside.device_id AND r.enable_snat = 1
  JOIN ports g ON g.device_id = r.id AND g.device_owner = 'network:router_gateway'
  WHERE ${where}`;

const hex = (bytes: number) => sql.raw(`lower(hex(randomblob(${bytes})))`);
/** An id as good as any other: the port is made where only the database knows that it is missing. */
const newId = sql`${hex(4)} || '-' || ${hex(2)} || '-4' || substr(${hex(2)}, 2) || '-a' || substr(${hex(2)}, 2) || '-' || ${hex(6)}`;
const newMac = sql`'fa:16:3e:' || ${hex(1)} || ':' || ${hex(1)} || ':' || ${hex(1)}`;

/** The parts of a subnet's first IPv4 address, as a JSON list. */
const parts = sql`'[' || replace(substr(s.cidr, 1, instr(s.cidr, '/') - 1), '.', ',') || ']'`;
const part = (at: number) => sql.raw(`json_extract(s.parts, '$[${at}]')`);
/** The text of the address at an offset from there. */
const text = (value: SQL) =>
  sql`(${value} >> 24) || '.' || ((${value} >> 16) & 255) || '.' || ((${value} >> 8) & 255) || '.' || (${value} & 255)`;

/** The first free offset of a pool from `at` on, null where there is none up to `last`. */
const freeFrom = (subnet: SQL, at: SQL, last: SQL): SQL => sql`CASE WHEN ${at} > ${last} THEN NULL
  WHEN NOT EXISTS (SELECT 1 FROM ip_allocations x WHERE x.subnet_id = ${subnet} AND x.host_offset = ${at}) THEN ${at}
  ELSE (SELECT x.host_offset + 1 FROM ip_allocations x WHERE x.subnet_id = ${subnet} AND x.host_offset >= ${at} AND x.host_offset < ${last}
    AND NOT EXISTS (SELECT 1 FROM ip_allocations y WHERE y.subnet_id = x.subnet_id AND y.host_offset = x.host_offset + 1)
    ORDER BY x.host_offset LIMIT 1) END`;

/**
 * Gives machines the addresses that they need and have not; where an external network has none left, they do without.
 * The database picks as the batch runs, so that no two can get the same. @param where - a condition on `runners`
 */
export function allotGateways(ctx: Context, where: SQL): Statement[] {
  const now = ctx.clock.nowMs();
  const fresh = sql`ports.device_owner = ${OWNER} AND ports.device_id IN (SELECT runners.id FROM runners WHERE ${where})
    AND NOT EXISTS (SELECT 1 FROM ip_allocations a WHERE a.port_id = ports.id)`;
  return [
    ctx.db.run(sql`INSERT INTO ports (id, region, project_id, network_id, mac_address, status, port_security_enabled,
        device_id, device_owner, runner_id, created_at_ms, updated_at_ms)
      SELECT ${newId}, pair.region, '', pair.network_id, ${newMac}, 'ACTIVE', 0, pair.runner_id, ${OWNER}, pair.runner_id, ${now}, ${now}
      FROM (${needed(where)}) pair
      WHERE NOT EXISTS (SELECT 1 FROM ports own WHERE own.device_id = pair.runner_id AND own.device_owner = ${OWNER}
        AND own.network_id = pair.network_id)`),
    ctx.db.run(sql`INSERT INTO ip_allocations (subnet_id, host_offset, ip_address, port_id, position)
      WITH RECURSIVE
      wanting (port_id, network_id, place) AS (
        SELECT ports.id, ports.network_id, row_number() OVER (PARTITION BY ports.network_id ORDER BY ports.id) FROM ports WHERE ${fresh}),
      pools (network_id, subnet_id, first, last, count) AS (
        SELECT s.network_id, s.id, p.value ->> 'first', p.value ->> 'last',
          (SELECT count(*) FROM wanting w WHERE w.network_id = s.network_id)
        FROM subnets s, json_each(s.allocation_pools) p
        WHERE s.ip_version = 4 AND s.network_id IN (SELECT network_id FROM wanting)),
      picks (network_id, subnet_id, n, host_offset, last, count) AS (
        SELECT network_id, subnet_id, 1, ${freeFrom(sql`pools.subnet_id`, sql`pools.first`, sql`pools.last`)}, last, count FROM pools
        UNION ALL
        SELECT network_id, subnet_id, n + 1, ${freeFrom(sql`picks.subnet_id`, sql`(picks.host_offset + 1)`, sql`picks.last`)}, last, count
        FROM picks WHERE host_offset IS NOT NULL AND n < count),
      ranked (network_id, subnet_id, host_offset, place) AS (
        SELECT network_id, subnet_id, host_offset, row_number() OVER (PARTITION BY network_id ORDER BY subnet_id, host_offset)
        FROM picks WHERE host_offset IS NOT NULL),
      based (subnet_id, base) AS (
        SELECT s.id, ((${part(0)} * 256 + ${part(1)}) * 256 + ${part(2)}) * 256 + ${part(3)}
        FROM (SELECT s.id, ${parts} AS parts FROM subnets s WHERE s.ip_version = 4 AND s.network_id IN (SELECT network_id FROM wanting)) s)
      SELECT ranked.subnet_id, ranked.host_offset, ${text(sql`(based.base + ranked.host_offset)`)}, wanting.port_id, 0
      FROM wanting JOIN ranked ON ranked.network_id = wanting.network_id AND ranked.place = wanting.place
      JOIN based ON based.subnet_id = ranked.subnet_id`),
    ctx.db.run(sql`DELETE FROM ports WHERE ${fresh}`),
  ];
}

/** Frees the addresses that machines need no more. @param where - a condition on `runners` */
export const releaseGateways = (db: Database, where: SQL): Statement =>
  db.run(sql`DELETE FROM ports WHERE device_owner = ${OWNER} AND runner_id = device_id
    AND device_id IN (SELECT runners.id FROM runners WHERE ${where})
    AND (device_id, network_id) NOT IN (SELECT runner_id, network_id FROM (${needed(where)}))`);

/** Frees the addresses of a machine that is no more. */
export const forgetGateways = (db: Database, runnerId: string): Statement =>
  db.run(sql`DELETE FROM ports WHERE device_id = ${runnerId} AND device_owner = ${OWNER} AND runner_id = ${runnerId}`);
