import { type SQL, sql } from 'drizzle-orm';
import { runners } from '../../../db/schema/fleet.ts';
import { sharesOfRow } from '../../fleet/capacity.ts';
import type { Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';

/** The least that a machine's aggregates say of a ratio; what is no number above zero says nothing. */
const leastRatio = (name: string): SQL => sql`(
  SELECT min(nullif(max(CAST(a.metadata ->> ${name} AS REAL), 0), 0)) FROM aggregate_hosts h JOIN aggregates a ON a.id = h.aggregate_id
  WHERE h.runner_id = runners.id)`;
const ZONE = sql`(
  SELECT a.metadata ->> 'availability_zone' FROM aggregate_hosts h JOIN aggregates a ON a.id = h.aggregate_id
  WHERE h.runner_id = runners.id AND a.metadata ->> 'availability_zone' IS NOT NULL LIMIT 1)`;

/**
 * Statements that give machines the zone and the ratios that their aggregates say, or their own where none does; for the
 * batch of whatever changes aggregates, after the change. Servers are in the zone of their machine.
 * @param where - a condition on `runners`
 */
export function settleHosts(ctx: ActorContext, where: SQL): Statement[] {
  return [
    ctx.db.run(sql`
      UPDATE runners SET home_zone = coalesce(home_zone, zone), zone = coalesce(${ZONE}, home_zone, zone),
        vcpu_ratio = ${leastRatio('cpu_allocation_ratio')}, memory_ratio = ${leastRatio('ram_allocation_ratio')},
        disk_ratio = ${leastRatio('disk_allocation_ratio')}
      WHERE ${where}`),
    ctx.db.update(runners).set(sharesOfRow).where(where),
    ctx.db.run(sql`
      UPDATE servers SET zone = (SELECT r.zone FROM runners r WHERE r.id = servers.runner_id)
      WHERE deleted_at_ms IS NULL AND runner_id IN (SELECT id FROM runners WHERE ${where})`),
  ];
}

/** The machines of an aggregate, as a condition on `runners`. */
export const hostsIn = (id: number): SQL =>
  sql`runners.id IN (SELECT runner_id FROM aggregate_hosts WHERE aggregate_id = ${id})`;
