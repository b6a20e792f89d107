import { and, eq, ne, sql } from 'drizzle-orm';
import { aggregateHosts } from '../../db/schema/aggregates.ts';
import { desired, runners } from '../../db/schema/fleet.ts';
import { abandonServers } from '../compute/abandon-servers.ts';
import { abandonMoves, movesWith } from '../compute/migrations/close-moves.ts';
import { AssertionFailed, assertThat, commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { conflict } from '../http/errors.ts';
import { authorize } from '../http/policy.ts';
import { forgetGateways } from '../network/edge/agent-gateways.ts';
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
  const why = `Runner ${row.name} was removed by an operator.`;
  const moves = abandonMoves(ctx, row.id, { moves: force ? await movesWith(ctx, row.id) : [], why });
  const empty = sql`NOT EXISTS (SELECT 1 FROM server_migrations WHERE phase <> 'ended' AND ${row.id} IN (source_runner_id, target_runner_id))
    AND NOT EXISTS (SELECT 1 FROM servers WHERE runner_id = ${row.id} AND deleted_at_ms IS NULL)`;
  try {
    await commit(ctx, {
      audit: {
        action: 'fleet:runners:remove',
        targetType: 'runner',
        targetId: row.id,
        detail: { name: row.name, force },
      },
      statements: [
        ...(force ? [...moves.statements, ...abandonServers(ctx, row.id, why)] : [assertThat(ctx.db, 'empty', empty)]),
        // What its servers were made of is kept: they may be evacuated.
        ctx.db.delete(desired).where(and(eq(desired.runnerId, row.id), ne(desired.kind, 'server'))),
        forgetGateways(ctx.db, row.id),
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
      touches: moves.touches,
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
