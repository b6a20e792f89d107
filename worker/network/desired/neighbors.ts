import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.ts';
import { dropDesired } from '../../fleet/desired.ts';
import type { Statement } from '../../http/commit.ts';
import { upsert } from './puts.ts';

/*
 * Ports of VXLAN networks as other machines know them: where frames for them go. A machine that holds a network has a
 * neighbor for each port of it that another machine serves.
 */

const specSql = sql`json_object(
  'port_id', ports.id, 'network_id', ports.network_id, 'mac_address', ports.mac_address,
  'addresses', (SELECT json_group_array(a.ip_address ORDER BY a.position) FROM ip_allocations a WHERE a.port_id = ports.id),
  'tunnel_ip', peer.tunnel_ip)`;

/**
 * Tells machines of their neighbors.
 * @param where - a condition on `ports`, `runners` (who is told) and `holder` (its desired network)
 */
export function putNeighbors(db: Database, where: SQL): Statement {
  return db.run(
    upsert(sql`SELECT runners.id, 'neighbor', ports.id, runners.generation, ${specSql}, 0
      FROM ports JOIN networks ON networks.id = ports.network_id AND networks.network_type = 'vxlan'
      JOIN runners peer ON peer.id = ports.runner_id AND peer.tunnel_ip IS NOT NULL
      JOIN desired holder ON holder.kind = 'network' AND holder.id = ports.network_id AND holder.deleted = 0
        AND holder.runner_id <> ports.runner_id
      JOIN runners ON runners.id = holder.runner_id
      WHERE ${where}`),
  );
}

/** All neighbors of the networks that came to a runner in this batch. */
export const putNeighborsOfNew = (db: Database, runnerId: string | SQL): Statement =>
  putNeighbors(db, sql`runners.id = ${runnerId} AND holder.generation = runners.generation`);

/** Ports are no machine's neighbors any more. @param portIds - as SQL for `IN (...)` */
export const dropNeighbors = (db: Database, portIds: SQL): Statement =>
  dropDesired(db, 'neighbor', sql`desired.id IN (${portIds})`);

/** The neighbors on networks that a runner no longer holds. */
export const dropNeighborsOfGone = (db: Database, here: SQL): Statement =>
  dropDesired(
    db,
    'neighbor',
    sql`${here} AND NOT EXISTS (SELECT 1 FROM desired held WHERE held.runner_id = desired.runner_id AND held.kind = 'network'
      AND held.deleted = 0 AND held.id = desired.spec ->> '$.network_id')`,
  );

/** Holds for a runner that has any of these networks, if they are VXLANs. @param networkIds - as SQL for `IN (...)` */
export const holdersOf = (networkIds: SQL): SQL =>
  sql`runners.id IN (SELECT held.runner_id FROM desired held JOIN networks held_network ON held_network.id = held.id
    WHERE held.kind = 'network' AND held.deleted = 0 AND held_network.network_type = 'vxlan' AND held.id IN (${networkIds}))`;

/**
 * The networks that a machine must have for ports on these: themselves, those that routers join with them, and the
 * external networks of those routers. @param networkIds - a query of ids
 */
export const joinedNetworks = (networkIds: SQL): SQL =>
  sql`WITH RECURSIVE joined(id) AS (
      ${networkIds}
      UNION SELECT beyond.network_id FROM joined
        JOIN ports inside ON inside.network_id = joined.id AND inside.device_owner = 'network:router_interface'
        JOIN ports beyond ON beyond.device_id = inside.device_id
          AND beyond.device_owner IN ('network:router_interface', 'network:router_gateway'))
    SELECT id FROM joined`;
