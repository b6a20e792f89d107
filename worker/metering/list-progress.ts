import { asc, eq, sql } from 'drizzle-orm';
import { runners } from '../../db/schema/fleet.ts';
import { meterProgress } from '../../db/schema/metering.ts';
import type { ActorContext } from '../http/context.ts';
import { authorize } from '../http/policy.ts';
import { isoOrNull } from '../http/times.ts';
import { policy } from './policy.ts';

/** How far each machine's windows are sealed: what is used after that cannot be billed yet. Null: nothing is. */
export async function listProgress(ctx: ActorContext) {
  authorize(ctx, policy, 'metering:progress:list');
  const rows = await ctx.db
    .select({
      id: runners.id,
      name: runners.name,
      state: runners.state,
      sealedMs: meterProgress.sealedThroughMs,
      refusals: sql<number>`(SELECT coalesce(sum(f.count), 0) FROM meter_refusals f WHERE f.runner_id = runners.id)`,
    })
    .from(runners)
    .leftJoin(meterProgress, eq(meterProgress.runnerId, runners.id))
    .where(eq(runners.region, ctx.region))
    .orderBy(asc(runners.name));
  return rows.map(({ id, name, state, sealedMs, refusals }) => ({
    runner_id: id,
    runner: name,
    state,
    sealed_through: isoOrNull(sealedMs),
    behind_s: sealedMs === null ? null : Math.max(0, Math.floor((ctx.clock.nowMs() - sealedMs) / 1000)),
    refusals,
  }));
}
