import { eq } from 'drizzle-orm';
import { z } from 'zod';
import { runners } from '../../db/schema/fleet.ts';
import { commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { authorize } from '../http/policy.ts';
import { findRunner } from './find-runner.ts';
import { policy } from './policy.ts';
import { runnerView } from './views.ts';

export const runnerPatch = z.strictObject({
  runner: z.strictObject({
    state: z.enum(['enabled', 'draining', 'disabled']),
    reason: z.string().max(255).optional(),
  }),
});

interface RunnerChange {
  state?: 'enabled' | 'draining' | 'disabled';
  reason?: string | undefined;
  /** Whether it counts as dead whatever it says: then its guests may be started elsewhere. */
  forced_down?: boolean;
}

/**
 * Enables, drains or disables a runner: none but an enabled one gets new guests; what it holds keeps running.
 * @throws ApiError 404
 */
export async function updateRunner(ctx: ActorContext, idOrName: string, patch: RunnerChange) {
  authorize(ctx, policy, 'fleet:runners:update');
  const row = await findRunner(ctx, idOrName);
  const { state, forced_down: forcedDown } = patch;
  const change = {
    ...(state === undefined ? {} : { state, stateReason: patch.reason ?? null }),
    ...(forcedDown === undefined ? {} : { forcedDown }),
    updatedAtMs: ctx.clock.nowMs(),
  };
  await commit(ctx, {
    audit: { action: 'fleet:runners:update', targetType: 'runner', targetId: row.id, detail: { ...patch } },
    statements: [ctx.db.update(runners).set(change).where(eq(runners.id, row.id))],
  });
  return runnerView({ ...row, ...change }, ctx.clock.nowMs());
}
