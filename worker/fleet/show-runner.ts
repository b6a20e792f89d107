import type { ActorContext } from '../http/context.ts';
import { authorize } from '../http/policy.ts';
import { findRunner } from './find-runner.ts';
import { policy } from './policy.ts';
import { runnerView } from './views.ts';

/** One runner, by id or name. @throws ApiError 404 */
export async function showRunner(ctx: ActorContext, idOrName: string) {
  authorize(ctx, policy, 'fleet:runners:show');
  return runnerView(await findRunner(ctx, idOrName), ctx.clock.nowMs());
}
