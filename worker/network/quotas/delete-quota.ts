import { sql } from 'drizzle-orm';
import { AssertionFailed, assertThat, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { enforce } from '../policy.ts';

const SET = 'quota-set';

/** Takes the limits of a project away: the defaults hold again. @throws ApiError 403, 404 where none were set */
export async function deleteQuota(ctx: ActorContext, projectId: string): Promise<void> {
  enforce(ctx, 'delete_quota');
  const own = sql`FROM network_quotas WHERE region = ${ctx.region} AND project_id = ${projectId}`;
  await commit(ctx, {
    audit: { action: 'delete_quota', targetType: 'project', targetId: projectId },
    statements: [assertThat(ctx.db, SET, sql`EXISTS (SELECT 1 ${own})`), ctx.db.run(sql`DELETE ${own}`)],
  }).catch((error: unknown) => {
    if (!(error instanceof AssertionFailed) || error.assertion !== SET) throw error;
    throw notFound(`Quota for tenant ${projectId} could not be found.`, 'TenantQuotaNotFound');
  });
}
