import { sql } from 'drizzle-orm';
import { AssertionFailed, assertThat, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { scopeAccount } from '../scope.ts';

/** Has an account pay for a project from now on; what is booked stays where it is. @throws ApiError 400, 404 */
export async function linkProject(ctx: ActorContext, id: string, projectId: string): Promise<void> {
  const account = await scopeAccount(ctx, 'billing:accounts:link', id);
  try {
    await commit(ctx, {
      audit: {
        action: 'billing:accounts:link',
        targetType: 'billing-account',
        targetId: account.id,
        detail: { project_id: projectId },
      },
      statements: [
        assertThat(ctx.db, 'project', sql`EXISTS (SELECT 1 FROM projects WHERE id = ${projectId})`),
        ctx.db.run(sql`INSERT INTO billing_account_projects (region, project_id, account_id) VALUES (${ctx.region}, ${projectId}, ${account.id})
          ON CONFLICT (region, project_id) DO UPDATE SET account_id = excluded.account_id`),
      ],
    });
  } catch (error) {
    if (error instanceof AssertionFailed) throw badRequest(`There is no project ${projectId}.`);
    throw error;
  }
}
