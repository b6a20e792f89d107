import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.ts';
import { dropDesired } from '../../fleet/desired.ts';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { dropNeighborsOfGone, putNeighbors } from '../desired/neighbors.ts';
import { upsert } from '../desired/puts.ts';
import { networkSpecSql } from '../desired/specs.ts';
import { allotGateways, releaseGateways } from './agent-gateways.ts';
import { routerSpecSql } from './specs.ts';

/*
 * Which machine holds which router: those of the networks that it is to hold. As with all desired state, these statements run
 * after the rows that they read are written, in a batch whose `touches` covers the machines.
 */

/** Routers that join the networks held by a machine. @param where - a condition on `runners` */
export function putRouters(ctx: Context, where: SQL): Statement[] {
  return [
    ...allotGateways(ctx, where),
    ctx.db.run(
      upsert(sql`SELECT runners.id, 'router', routers.id, runners.generation, ${routerSpecSql}, 0
        FROM (SELECT DISTINCT runners.id AS runner_id, inside.device_id AS router_id FROM runners
          JOIN desired held ON held.runner_id = runners.id AND held.kind = 'network' AND held.deleted = 0
          JOIN ports inside ON inside.network_id = held.id AND inside.device_owner = 'network:router_interface'
          WHERE ${where}) here
        JOIN runners ON runners.id = here.runner_id JOIN routers ON routers.id = here.router_id WHERE 1`),
    ),
  ];
}

/** Routers, and addresses for their translation, that machines need no more. @param where - a condition on `runners` */
export function dropRouters(db: Database, where: SQL): Statement[] {
  return [
    dropDesired(
      db,
      'router',
      sql`desired.runner_id IN (SELECT runners.id FROM runners WHERE ${where}) AND NOT EXISTS (SELECT 1 FROM ports inside
        JOIN desired held ON held.runner_id = desired.runner_id AND held.kind = 'network' AND held.deleted = 0 AND held.id = inside.network_id
        WHERE inside.device_id = desired.id AND inside.device_owner = 'network:router_interface')`,
    ),
    releaseGateways(db, where),
  ];
}

/** Machines that hold any of these networks, or did until a moment ago: the same ones before and after `rejoin`. */
export const aroundNetworks = (ids: string[]): SQL =>
  sql`runners.id IN (SELECT held.runner_id FROM desired held WHERE held.kind = 'network' AND held.id IN (${sql.join(
    ids.map((id) => sql`${id}`),
    sql`, `,
  )}))`;

/**
 * Brings networks, neighbors and routers of machines in line after routers changed what joins what.
 * @param where - a condition on `runners`, such as `aroundNetworks`
 */
export function rejoin(ctx: Context, where: SQL): Statement[] {
  const closure = sql`WITH RECURSIVE joined (runner_id, network_id) AS (
      SELECT runners.id, ports.network_id FROM runners
        JOIN desired port ON port.runner_id = runners.id AND port.kind = 'port' JOIN ports ON ports.id = port.id WHERE ${where}
      UNION SELECT joined.runner_id, beyond.network_id FROM joined
        JOIN ports inside ON inside.network_id = joined.network_id AND inside.device_owner = 'network:router_interface'
        JOIN ports beyond ON beyond.device_id = inside.device_id
          AND beyond.device_owner IN ('network:router_interface', 'network:router_gateway'))`;
  const here = sql`desired.runner_id IN (SELECT runners.id FROM runners WHERE ${where})`;
  return [
    ctx.db.run(
      upsert(sql`${closure} SELECT runners.id, 'network', networks.id, runners.generation, ${networkSpecSql}, 0
        FROM joined JOIN runners ON runners.id = joined.runner_id JOIN networks ON networks.id = joined.network_id WHERE 1`),
    ),
    putNeighbors(ctx.db, sql`${where} AND holder.generation = runners.generation`),
    dropDesired(
      ctx.db,
      'network',
      sql`${here} AND (desired.runner_id, desired.id) NOT IN (${closure} SELECT runner_id, network_id FROM joined)`,
    ),
    dropNeighborsOfGone(ctx.db, here),
    // First, so that a router no longer shows an address that goes.
    ...dropRouters(ctx.db, where),
    ...putRouters(ctx, where),
  ];
}
