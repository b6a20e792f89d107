import { sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import { finishActions, startAction } from '../servers/actions.ts';
import { askHost } from '../servers/ask-host.ts';
import { hostOf, patchDesiredServer } from '../servers/desired-server.ts';
import { beginTask, TASK_DEADLINES_MS } from '../servers/tasks.ts';
import { type Allowed, commitTransition } from '../servers/transition.ts';

const SOFT: Allowed = { vmStates: ['active'], launched: true };
const HARD: Allowed = {
  vmStates: ['active', 'stopped', 'paused', 'suspended', 'error'],
  taskStates: ['rebooting', 'rebooting_hard', 'pausing', 'unpausing', 'suspending', 'resuming'],
  launched: true,
};

/**
 * Reboots a server: SOFT asks the guest, HARD resets the machine, and turns one on that is off or held.
 * @throws ApiError 404, 409 in another state
 */
export async function rebootServer(ctx: ActorContext, id: string, type: 'SOFT' | 'HARD'): Promise<void> {
  const task = type === 'SOFT' ? 'rebooting' : 'rebooting_hard';
  const now = ctx.clock.nowMs();
  await commitTransition(ctx, {
    id,
    verb: 'reboot',
    costs: true,
    policyAction: 'os_compute_api:servers:reboot',
    allowed: type === 'SOFT' ? SOFT : HARD,
    statements: [
      ...finishActions(ctx.db, {
        serverWhere: sql`server_id = ${id}`,
        actions: ['pause', 'unpause', 'suspend', 'resume'],
        when: sql`1`,
        nowMs: now,
        error: 'The server was rebooted before this was done.',
      }),
      beginTask(ctx, id, task),
      patchDesiredServer(ctx.db, id, { path: '$.power', value: sql`'on'`, when: sql`spec ->> '$.power' <> 'on'` }),
      askHost(ctx, id, { kind: 'reboot', args: { type }, deadlineMs: now + TASK_DEADLINES_MS[task] }),
      ...startAction(ctx, { serverId: id, action: 'reboot' }),
    ],
    touches: hostOf(id),
    detail: { type },
  });
}
