import { and, eq, sql } from 'drizzle-orm';
import { quotas } from '../../../db/schema/quotas.ts';
import { assertThat, commit, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { commitOr } from '../http/commit-or.ts';
import { policy } from '../policy.ts';
import { limitsOf, limitsRead, type QuotaScope } from './limits-in-force.ts';
import type { Resource } from './resources.ts';
import type { QuotaSetInput } from './schemas.ts';
import { type ServerShare, usageRead } from './usage.ts';

export type Limits = Record<Resource, number>;

/** The limits of a project, or of a user in it. @throws ApiError 403 */
export async function showQuotaSet(ctx: ActorContext, scope: QuotaScope): Promise<Limits> {
  authorize(ctx, policy, 'os_compute_api:os-quota-sets:show', { projectId: scope.projectId });
  return limitsOf(await limitsRead(ctx, scope));
}

/** The limits of whoever has none of its own. */
export async function defaultQuotaSet(ctx: ActorContext, projectId: string): Promise<Limits> {
  authorize(ctx, policy, 'os_compute_api:os-quota-sets:defaults', { projectId });
  return limitsOf(await limitsRead(ctx, {}), 'class');
}

/** The limits with what is used of them. @throws ApiError 403 */
export async function detailQuotaSet(
  ctx: ActorContext,
  scope: QuotaScope,
): Promise<{ limits: Limits; used: Partial<Limits> }> {
  authorize(ctx, policy, 'os_compute_api:os-quota-sets:detail', { projectId: scope.projectId });
  return usedAndAllowed(ctx, scope);
}

async function usedAndAllowed(ctx: ActorContext, scope: QuotaScope) {
  const { projectId, userId } = scope;
  const ofUser = userId === undefined ? sql`` : sql`AND user_id = ${userId}`;
  const [limits, usage, groups] = await ctx.db.batch([
    limitsRead(ctx, scope),
    usageRead(ctx, scope),
    ctx.db.all(
      sql`SELECT count(*) AS n FROM server_groups WHERE region = ${ctx.region} AND project_id = ${projectId} ${ofUser}`,
    ),
  ] as [Statement, ...Statement[]]);
  const [shares] = usage as ServerShare[];
  const used: Partial<Limits> = { ...shares, server_groups: (groups as { n: number }[])[0]?.n ?? 0 };
  return { limits: limitsOf(limits), ofProject: limitsOf(limits, 'project'), used };
}

/**
 * Sets limits of a project, or of a user in it, who never has more than the project.
 * @returns the limits as they then are
 * @throws ApiError 400 no such project, or, unless forced, less than is used or more than the project has
 */
export async function updateQuotaSet(ctx: ActorContext, scope: QuotaScope, input: QuotaSetInput): Promise<Limits> {
  const action = 'os_compute_api:os-quota-sets:update';
  authorize(ctx, policy, action);
  const { force = false, ...limits } = input;
  if (!force) await checkLimits(ctx, scope, limits);
  const { projectId, userId = '' } = scope;
  const patch = JSON.stringify(limits);
  const change = {
    audit: { action, targetType: 'project', targetId: projectId, detail: { userId, limits } },
    statements: [
      assertThat(ctx.db, 'project', sql`EXISTS (SELECT 1 FROM projects WHERE id = ${projectId})`),
      ctx.db.run(sql`
        INSERT INTO quotas (region, project_id, user_id, limits) VALUES (${ctx.region}, ${projectId}, ${userId}, ${patch})
        ON CONFLICT (region, project_id, user_id) DO UPDATE SET limits = json_patch(limits, excluded.limits)`),
      limitsRead(ctx, scope),
    ],
  };
  const results = await commitOr(ctx, change, {
    project: () => badRequest(`Project ID ${projectId} is not a valid project.`),
  });
  return limitsOf(results.at(-1));
}

async function checkLimits(ctx: ActorContext, scope: QuotaScope, limits: Record<string, number>): Promise<void> {
  const { ofProject, used } = await usedAndAllowed(ctx, scope);
  for (const [name, limit] of Object.entries(limits)) {
    const minimum = used[name as Resource] ?? 0;
    const maximum = scope.userId === undefined ? -1 : ofProject[name as Resource];
    if (limit >= 0 && limit < minimum) {
      throw badRequest(
        `Quota limit ${limit} for ${name} must be greater than or equal to already used and reserved ${minimum}.`,
      );
    }
    if (maximum >= 0 && (limit < 0 || limit > maximum)) {
      throw badRequest(`Quota limit ${limit} for ${name} must be less than or equal to ${maximum}.`);
    }
  }
}

/** Takes the limits of a project, or of a user in it, away: the defaults hold again. */
export async function deleteQuotaSet(ctx: ActorContext, scope: QuotaScope): Promise<void> {
  const action = 'os_compute_api:os-quota-sets:delete';
  authorize(ctx, policy, action);
  const { projectId, userId } = scope;
  const ofUser = userId === undefined ? undefined : eq(quotas.userId, userId);
  await commit(ctx, {
    audit: {
      action,
      targetType: 'project',
      targetId: projectId,
      ...(userId === undefined ? {} : { detail: { userId } }),
    },
    statements: [
      ctx.db.delete(quotas).where(and(eq(quotas.region, ctx.region), eq(quotas.projectId, projectId), ofUser)),
    ],
  });
}
