import { sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import { startAction } from '../servers/actions.ts';
import { hostOf, patchDesiredServer } from '../servers/desired-server.ts';
import { TASK_DEADLINES_MS } from '../servers/tasks.ts';
import { type Allowed, commitTransition } from '../servers/transition.ts';

const START: Allowed = { vmStates: ['stopped'], launched: true };
const STOP: Allowed = { vmStates: ['active', 'error'], launched: true };

/** Turns a stopped server on. @throws ApiError 404, 409 not stopped, or busy */
export const startServer = (ctx: ActorContext, id: string): Promise<void> => turn(ctx, id, 'on');

/** Turns a running server off; its guest is asked to shut down. @throws ApiError 404, 409 not running, or busy */
export const stopServer = (ctx: ActorContext, id: string): Promise<void> => turn(ctx, id, 'off');

async function turn(ctx: ActorContext, id: string, power: 'on' | 'off'): Promise<void> {
  const verb = power === 'on' ? 'start' : 'stop';
  const task = power === 'on' ? 'powering-on' : 'powering-off';
  const now = ctx.clock.nowMs();
  await commitTransition(ctx, {
    id,
    verb,
    policyAction: `os_compute_api:servers:${verb}`,
    allowed: power === 'on' ? START : STOP,
    statements: [
      ctx.db.run(sql`
        UPDATE servers SET task_state = ${task}, task_deadline_ms = ${now + TASK_DEADLINES_MS[task]}, updated_at_ms = ${now}
        WHERE id = ${id}`),
      patchDesiredServer(ctx.db, id, { path: '$.power', value: sql`${power}` }),
      ...startAction(ctx, { serverId: id, action: verb }),
    ],
    touches: hostOf(id),
  });
}
