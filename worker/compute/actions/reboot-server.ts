import { sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import { startAction } from '../servers/actions.ts';
import { hostOf, patchDesiredServer } from '../servers/desired-server.ts';
import { TASK_DEADLINES_MS } from '../servers/tasks.ts';
import { type Allowed, commitTransition } from '../servers/transition.ts';

const SOFT: Allowed = { vmStates: ['active'], launched: true };
const HARD: Allowed = {
  vmStates: ['active', 'stopped', 'error'],
  taskStates: ['rebooting', 'rebooting_hard'],
  launched: true,
};

/**
 * Reboots a server: SOFT asks the guest, HARD resets the machine, and turns one on that is off.
 * @throws ApiError 404, 409 in another state
 */
export async function rebootServer(ctx: ActorContext, id: string, type: 'SOFT' | 'HARD'): Promise<void> {
  const task = type === 'SOFT' ? 'rebooting' : 'rebooting_hard';
  const now = ctx.clock.nowMs();
  const deadline = now + TASK_DEADLINES_MS[task];
  const args = JSON.stringify({ type });
  await commitTransition(ctx, {
    id,
    verb: 'reboot',
    policyAction: 'os_compute_api:servers:reboot',
    allowed: type === 'SOFT' ? SOFT : HARD,
    statements: [
      ctx.db.run(sql`
        UPDATE servers SET task_state = ${task}, task_deadline_ms = ${deadline}, updated_at_ms = ${now} WHERE id = ${id}`),
      patchDesiredServer(ctx.db, id, { path: '$.power', value: sql`'on'`, when: sql`spec ->> '$.power' <> 'on'` }),
      ctx.db.run(sql`
        INSERT INTO operations (op_id, region, runner_id, kind, target_kind, target_id, target_epoch, request_id, state, args, deadline_ms, created_at_ms)
        SELECT ${ctx.ids.uuid()}, region, runner_id, 'reboot', 'server', id, epoch, ${ctx.requestId}, 'queued', ${args}, ${deadline}, ${now}
        FROM servers WHERE id = ${id}`),
      ...startAction(ctx, { serverId: id, action: 'reboot' }),
    ],
    touches: hostOf(id),
    detail: { type },
  });
}
