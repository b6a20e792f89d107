import { type SQL, sql } from 'drizzle-orm';
import { assertThat, type Statement } from '../../http/commit.ts';
import type { ActorContext, ProjectContext } from '../../http/context.ts';
import { isAdmin } from '../../http/policy.ts';
import { within } from '../quotas/limits-in-force.ts';

export type GroupPolicy = 'affinity' | 'anti-affinity' | 'soft-affinity' | 'soft-anti-affinity';

/** A group as the scheduler sees it: its policy, and how many of its servers each host holds. */
export interface PlacedGroup {
  id: string;
  policy: GroupPolicy;
  /** Servers of an `anti-affinity` group that one host may hold. */
  perHostMax: number;
  hosts: ReadonlyMap<string, number>;
}

/** The assertion that a host is still good for a server of a group. */
export const GROUP = 'group';
/** The assertion that a group has room for more servers. */
export const GROUP_MEMBERS = 'group-members';

const members = (groupId: string | SQL): SQL =>
  sql`server_group_members m JOIN servers s ON s.id = m.server_id WHERE m.group_id = ${groupId} AND s.deleted_at_ms IS NULL`;

/**
 * The other machine of a server that moves, where it is to be, or may be brought back to. A machine that is evacuated is
 * none: nothing is brought back there.
 */
const OTHER_HOST =
  sql.raw(`(SELECT CASE WHEN mv.phase IN ('preparing', 'moving') THEN mv.target_runner_id ELSE mv.source_runner_id END
  FROM server_migrations mv WHERE mv.server_id = s.id AND mv.phase NOT IN ('ending', 'ended')
    AND mv.type <> 'evacuation' AND mv.source_runner_id <> mv.target_runner_id)`);

/** The read of a group, for a batch; `placedGroupOf` reads it. `of` names the group, or a server that is in it. */
export function placedGroupRead(ctx: ActorContext, of: { groupId: string } | { serverId: string }): Statement {
  const id =
    'groupId' in of ? of.groupId : sql`(SELECT group_id FROM server_group_members WHERE server_id = ${of.serverId})`;
  const own = isAdmin(ctx) ? sql`1` : sql`g.project_id = ${ctx.actor.projectId ?? ''}`;
  return ctx.db.all(sql`
    SELECT g.id, g.policy, coalesce(g.max_server_per_host, 1) AS perHostMax, (
      SELECT json_group_array(json_array(host, n)) FROM (SELECT host, count(*) AS n FROM (
        SELECT s.runner_id AS host FROM ${members(sql`g.id`)}
        UNION ALL SELECT ${OTHER_HOST} FROM ${members(sql`g.id`)} AND g.policy IN ('affinity', 'anti-affinity')) WHERE host IS NOT NULL GROUP BY host)
    ) AS hosts
    FROM server_groups g WHERE g.id = ${id} AND g.region = ${ctx.region} AND ${own}`);
}

/** The group of `placedGroupRead`; null where there is none. */
export function placedGroupOf(result: unknown): PlacedGroup | null {
  const [row] = result as (Omit<PlacedGroup, 'hosts'> & { hosts: string })[];
  return row ? { ...row, hosts: new Map(JSON.parse(row.hosts) as [string, number][]) } : null;
}

/**
 * Fails the batch (assertion `group`) where a server on a host would be against its group's policy as the batch runs. A
 * member that moves counts at both its machines.
 * @param of.lostId - a machine whose servers are to be evacuated, too: they do not hold this one back
 */
export function assertGroup(
  ctx: ActorContext,
  group: PlacedGroup,
  of: { serverId: string; runnerId: string; lostId?: string },
): Statement[] {
  const others = sql`SELECT count(*) FROM ${members(group.id)} AND s.id <> ${of.serverId}`;
  if (group.policy === 'anti-affinity') {
    return [
      assertThat(
        ctx.db,
        GROUP,
        sql`(${others} AND ${of.runnerId} IN (s.runner_id, ${OTHER_HOST})) < ${group.perHostMax}`,
      ),
    ];
  }
  if (group.policy === 'affinity') {
    const apart = sql`s.runner_id NOT IN (${of.runnerId}, ${of.lostId ?? ''}) OR ${OTHER_HOST} <> ${of.runnerId}`;
    return [assertThat(ctx.db, GROUP, sql`(${others} AND (${apart})) = 0`)];
  }
  return [];
}

/** Makes new servers members of a group. Fails the batch (assertion `group-members`) where they are too many. */
export function joinGroup(ctx: ProjectContext, groupId: string, serverIds: readonly string[]): Statement[] {
  const { projectId, userId } = ctx.actor;
  const count = sql`(SELECT count(*) FROM ${members(groupId)} AND s.user_id = ${userId}) + ${serverIds.length}`;
  return [
    assertThat(ctx.db, GROUP_MEMBERS, within(ctx, { projectId, userId }, 'server_group_members', count)),
    ctx.db.run(sql`
      INSERT INTO server_group_members (server_id, group_id)
      SELECT ids.value, g.id FROM server_groups g, json_each(${JSON.stringify(serverIds)}) ids WHERE g.id = ${groupId}`),
  ];
}
