import { sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import { finishedAction } from '../servers/actions.ts';
import { commitTransition } from '../servers/transition.ts';

/**
 * Says for an operator what state a server is in. Its machine is not touched; an ERROR said so has no fault, and stays
 * until someone says otherwise.
 * @throws ApiError 404
 */
export async function resetState(ctx: ActorContext, id: string, state: 'active' | 'error'): Promise<void> {
  await commitTransition(ctx, {
    id,
    verb: 'resetState',
    policyAction: 'os_compute_api:os-admin-actions:reset_state',
    statements: [
      ctx.db.run(sql`
        UPDATE servers SET vm_state = ${state}, task_state = NULL, task_deadline_ms = NULL, fault = NULL, updated_at_ms = ${ctx.clock.nowMs()}
        WHERE id = ${id}`),
      ...finishedAction(ctx, { serverId: id, action: 'resetState' }),
    ],
    detail: { state },
  });
}
