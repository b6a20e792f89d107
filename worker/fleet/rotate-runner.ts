import { commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { conflict } from '../http/errors.ts';
import { authorize } from '../http/policy.ts';
import { findRunner } from './find-runner.ts';
import { policy } from './policy.ts';

/** Has a connected runner make a new key, vouched for by the old one. @throws ApiError 404; 409 not connected */
export async function rotateRunner(ctx: ActorContext, idOrName: string): Promise<void> {
  authorize(ctx, policy, 'fleet:runners:rotate');
  const row = await findRunner(ctx, idOrName);
  await commit(ctx, {
    audit: { action: 'fleet:runners:rotate', targetType: 'runner', targetId: row.id },
    statements: [],
  });
  const asked = await ctx.env.RUNNER_LINK.get(ctx.env.RUNNER_LINK.idFromName(row.id)).rotate();
  if (!asked) throw conflict(`Runner ${row.name} is not connected. Rotate its key when it is.`);
}
