import { eq, sql } from 'drizzle-orm';
import { aggregateHosts } from '../../db/schema/aggregates.ts';
import { desired, runners } from '../../db/schema/fleet.ts';
import { abandonServers } from '../compute/abandon-servers.ts';
import { AssertionFailed, assertThat, commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { conflict } from '../http/errors.ts';
import { authorize } from '../http/policy.ts';
import { findRunner } from './find-runner.ts';
import { policy } from './policy.ts';

/**
 * Removes a runner for good: its key is refused from then on. With guests on it, only when forced: a machine lost for
 * ever; its servers go to ERROR and can be deleted.
 * @throws ApiError 404; 409 it still holds guests
 */
export async function removeRunner(ctx: ActorContext, idOrName: string, force: boolean): Promise<void> {
  authorize(ctx, policy, 'fleet:runners:remove');
  const row = await findRunner(ctx, idOrName);
  const empty = sql`NOT EXISTS (SELECT 1 FROM servers WHERE runner_id = ${row.id} AND deleted_at_ms IS NULL)`;
  try {
    await commit(ctx, {
      audit: {
        action: 'fleet:runners:remove',
        targetType: 'runner',
        targetId: row.id,
        detail: { name: row.name, force },
      },
      statements: [
        ...(force
          ? abandonServers(ctx, row.id, `Runner ${row.name} was removed by an operator.`)
          : [assertThat(ctx.db, 'empty', empty)]),
        ctx.db.delete(desired).where(eq(desired.runnerId, row.id)),
        ctx.db.delete(aggregateHosts).where(eq(aggregateHosts.runnerId, row.id)),
        ctx.db
          .update(runners)
          .set({
            state: 'removed',
            connected: false,
            vcpusClaimed: 0,
            memoryMibClaimed: 0,
            diskGibClaimed: 0,
            updatedAtMs: ctx.clock.nowMs(),
          })
          .where(eq(runners.id, row.id)),
      ],
    });
  } catch (error) {
    if (error instanceof AssertionFailed) {
      throw conflict(
        `Runner ${row.name} still holds servers. Delete or move them, or remove it with ?force=true if the machine is lost for ever.`,
      );
    }
    throw error;
  }
  await ctx.env.RUNNER_LINK.get(ctx.env.RUNNER_LINK.idFromName(row.id)).dismiss(
    'removed',
    'This runner was removed by an operator.',
  );
}
