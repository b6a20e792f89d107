import { sql } from 'drizzle-orm';
import { serverGroups } from '../../../db/schema/server-groups.ts';
import { assertThat } from '../../http/commit.ts';
import type { ActorContext, ProjectContext } from '../../http/context.ts';
import { badRequest, forbidden } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { commitOr } from '../http/commit-or.ts';
import { policy } from '../policy.ts';
import { within } from '../quotas/limits-in-force.ts';
import { groupNotFound, ownGroup, type ServerGroupRow, selectGroups } from './group-rows.ts';
import type { ServerGroupInput } from './schemas.ts';

/** A page of the project's groups, or of everyone's. @throws ApiError 403 everyone's for anyone but an admin */
export async function listServerGroups(
  ctx: ActorContext,
  of: { allProjects: boolean; limit: number; offset: number },
): Promise<ServerGroupRow[]> {
  authorize(ctx, policy, 'os_compute_api:os-server-groups:index');
  if (of.allProjects) authorize(ctx, policy, 'os_compute_api:os-server-groups:index:all_projects');
  const own = of.allProjects ? sql`1` : sql`g.project_id = ${ctx.actor.projectId ?? ''}`;
  return selectGroups(ctx, { ...of, where: sql`g.region = ${ctx.region} AND ${own}` });
}

/** One group. @throws ApiError 404 */
export async function showServerGroup(ctx: ActorContext, id: string): Promise<ServerGroupRow> {
  authorize(ctx, policy, 'os_compute_api:os-server-groups:show');
  const [row] = await selectGroups(ctx, { where: ownGroup(ctx, id) });
  if (!row) throw groupNotFound(id);
  return row;
}

/**
 * Makes a group.
 * @throws ApiError 400 rules for another policy than `anti-affinity`; 403 one too many
 */
export async function createServerGroup(ctx: ProjectContext, input: ServerGroupInput): Promise<ServerGroupRow> {
  const action = 'os_compute_api:os-server-groups:create';
  const { projectId, userId } = ctx.actor;
  authorize(ctx, policy, action, { projectId });
  if (input.rules && Object.keys(input.rules).length > 0 && input.policy !== 'anti-affinity') {
    throw badRequest('Only anti-affinity policy supports rules.');
  }
  const row = {
    id: ctx.ids.uuid(),
    projectId,
    userId,
    name: input.name,
    policy: input.policy,
    maxServerPerHost: input.rules?.max_server_per_host ?? null,
  };
  const count = (of: 'project_id' | 'user_id') =>
    sql`(SELECT count(*) FROM server_groups WHERE region = ${ctx.region} AND project_id = ${projectId}
      ${of === 'user_id' ? sql`AND user_id = ${userId}` : sql``}) + 1`;
  const change = {
    audit: { action, targetType: 'server-group', targetId: row.id, detail: { name: row.name, policy: row.policy } },
    statements: [
      assertThat(ctx.db, 'room', within(ctx, { projectId }, 'server_groups', count('project_id'))),
      assertThat(ctx.db, 'room', within(ctx, { projectId, userId }, 'server_groups', count('user_id'))),
      ctx.db.insert(serverGroups).values({
        ...row,
        region: ctx.region,
        number: sql`(SELECT coalesce(max(number), 0) + 1 FROM server_groups WHERE region = ${ctx.region})`,
        createdAtMs: ctx.clock.nowMs(),
      }),
    ],
  };
  await commitOr(ctx, change, { room: () => forbidden('Quota exceeded, too many server groups.') });
  return { ...row, members: '[]' };
}

/** Forgets a group; its servers stay where they are. @throws ApiError 404 */
export async function deleteServerGroup(ctx: ActorContext, id: string): Promise<void> {
  const action = 'os_compute_api:os-server-groups:delete';
  authorize(ctx, policy, action);
  const change = {
    audit: { action, targetType: 'server-group', targetId: id },
    statements: [
      assertThat(ctx.db, 'group', sql`EXISTS (SELECT 1 FROM server_groups g WHERE ${ownGroup(ctx, id)})`),
      ctx.db.run(sql`DELETE FROM server_group_members WHERE group_id = ${id}`),
      ctx.db.run(sql`DELETE FROM server_groups WHERE id = ${id}`),
    ],
  };
  await commitOr(ctx, change, { group: () => groupNotFound(id) });
}
