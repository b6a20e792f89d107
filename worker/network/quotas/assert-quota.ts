import { sql } from 'drizzle-orm';
import { AssertionFailed, assertThat, type Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { limitNow, usedNow } from './limits-in-force.ts';
import { LIMITED, type Limited } from './resources.ts';

const OVER = 'over-quota:';

/**
 * Fails the batch where a project has more of a resource than its limit; for after the rows that a request adds. It counts as
 * the batch runs, so racing creates never pass a limit together.
 * @param projectIds - whose the new rows are; what is nobody's is not counted
 */
export function assertQuota(ctx: Context, resource: Limited, projectIds: Iterable<string>): Statement[] {
  return [...new Set(projectIds)]
    .filter((projectId) => projectId !== '')
    .map((projectId) => {
      const limit = limitNow(ctx, resource, projectId);
      return assertThat(
        ctx.db,
        `${OVER}${resource}`,
        sql`CASE WHEN ${limit} < 0 THEN 1 ELSE ${usedNow(ctx, resource, projectId)} <= ${limit} END`,
      );
    });
}

/** What a failed batch had too much of; undefined where it failed for another reason. */
export function overQuota(error: unknown): Limited | undefined {
  if (!(error instanceof AssertionFailed) || !error.assertion.startsWith(OVER)) return undefined;
  return LIMITED.find((resource) => error.assertion === `${OVER}${resource}`);
}
