import { sql } from 'drizzle-orm';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { enforce } from '../policy.ts';
import { type Usage, usageOf, usageRead } from './limits-in-force.ts';
import type { Limited, Limits } from './resources.ts';

export interface QuotaUpdate {
  projectId: string;
  limits: Partial<Limits>;
  /** Set no limit below what is used. */
  check: boolean;
}

/**
 * Sets limits of a project.
 * @returns the limits as they then are
 * @throws ApiError 400 less than is used, where that is checked; 403
 */
export async function updateQuota(ctx: ActorContext, { projectId, limits, check }: QuotaUpdate): Promise<Usage> {
  enforce(ctx, 'update_quota');
  if (check) refuseTooLow(usageOf(await usageRead(ctx, projectId)), limits);
  const results = await commit(ctx, {
    audit: { action: 'update_quota', targetType: 'project', targetId: projectId, detail: { limits } },
    statements: [
      ctx.db.run(sql`
        INSERT INTO network_quotas (region, project_id, limits) VALUES (${ctx.region}, ${projectId}, ${JSON.stringify(limits)})
        ON CONFLICT (region, project_id) DO UPDATE SET limits = json_patch(limits, excluded.limits)`),
      usageRead(ctx, projectId),
    ],
  });
  return usageOf(results.at(-1) as { usage: string }[]);
}

function refuseTooLow(usage: Usage, limits: Partial<Limits>): void {
  for (const [name, limit] of Object.entries(limits)) {
    const { used } = usage[name as Limited];
    if (limit >= 0 && used > limit) {
      throw badRequest(`Quota limit ${limit} for ${name} must be greater than or equal to already used ${used}`);
    }
  }
}
