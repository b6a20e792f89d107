import { type SQL, sql } from 'drizzle-orm';
import type { Context } from '../../http/context.ts';

/** The kinds of objects of which it is told how far they are in force. */
export type AppliedKind = 'network' | 'router' | 'security-group' | 'port';

/** A machine that should hold an object, and how far it is. */
export interface AppliedHost {
  name: string;
  connected: number;
  leaseExpiresAtMs: number | null;
  /** The machine's generation at which the object, or what it is made of, last changed. */
  generation: number;
  /** Objects that the machine has not reported in force, or gone, in that form. */
  pending: number;
}

/** What besides itself an object is made of on a machine: a group's rules speak of members of groups, and of lists of ranges. */
function partsOf(kind: AppliedKind, id: string): SQL {
  if (kind !== 'security-group') return sql``;
  const rules = (column: SQL) =>
    sql`(SELECT DISTINCT ${column} AS named FROM security_group_rules WHERE group_id = ${id} AND ${column} IS NOT NULL)`;
  const part = sql`part.runner_id, part.generation, part.applied_generation, part.deleted`;
  const here = sql`part.runner_id IN (SELECT runner_id FROM holders)`;
  return sql`
    UNION ALL SELECT ${part} FROM ${rules(sql`remote_group_id`)} remote
      JOIN desired part ON part.kind = 'group-member' AND part.id >= remote.named || ':' AND part.id < remote.named || ';'
      WHERE ${here}
    UNION ALL SELECT ${part} FROM ${rules(sql`remote_address_group_id`)} list
      JOIN desired part ON part.kind = 'address-group' AND part.id = list.named WHERE ${here}`;
}

/** The machines that should hold an object, by name; those whose tombstone of it is not buried do not count. */
export function appliedHosts(ctx: Context, kind: AppliedKind, id: string): Promise<AppliedHost[]> {
  return ctx.db.all<AppliedHost>(sql`
    WITH holders AS (SELECT runner_id, generation, applied_generation, deleted FROM desired
        WHERE kind = ${kind} AND id = ${id} AND deleted = 0),
      parts AS (SELECT * FROM holders ${partsOf(kind, id)})
    SELECT runners.name, runners.connected, runners.lease_expires_at_ms AS leaseExpiresAtMs,
      max(parts.generation) AS generation,
      sum(parts.deleted = 1 OR parts.applied_generation IS NOT parts.generation) AS pending
    FROM parts JOIN runners ON runners.id = parts.runner_id AND runners.state <> 'removed'
    GROUP BY runners.id ORDER BY runners.name`);
}
