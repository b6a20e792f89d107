import { and, eq, sql } from 'drizzle-orm';
import { joinTokens } from '../../db/schema/fleet.ts';
import { AssertionFailed, assertThat, commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { notFound } from '../http/errors.ts';
import { authorize } from '../http/policy.ts';
import { policy } from './policy.ts';

/** Takes a join token back. @throws ApiError 404 */
export async function deleteJoinToken(ctx: ActorContext, id: string): Promise<void> {
  authorize(ctx, policy, 'fleet:join-tokens:delete');
  try {
    await commit(ctx, {
      audit: { action: 'fleet:join-tokens:delete', targetType: 'join-token', targetId: id },
      statements: [
        assertThat(
          ctx.db,
          'exists',
          sql`EXISTS (SELECT 1 FROM join_tokens WHERE id = ${id} AND region = ${ctx.region})`,
        ),
        ctx.db.delete(joinTokens).where(and(eq(joinTokens.id, id), eq(joinTokens.region, ctx.region))),
      ],
    });
  } catch (error) {
    if (error instanceof AssertionFailed) throw notFound(`Join token ${id} could not be found.`);
    throw error;
  }
}
