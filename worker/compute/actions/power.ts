import { sql } from 'drizzle-orm';
import type { ServerSpec } from '../../../shared/specs/server.ts';
import type { Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import type { ComputeAction } from '../policy.ts';
import { startAction } from '../servers/actions.ts';
import { hostOf, patchDesiredServer } from '../servers/desired-server.ts';
import type { TaskState, VmState } from '../servers/statuses.ts';
import { beginTask } from '../servers/tasks.ts';
import { commitTransition } from '../servers/transition.ts';

interface Turn {
  policyAction: ComputeAction;
  from: readonly VmState[];
  task: TaskState;
  power: ServerSpec['power'];
  costs?: boolean;
}

/** What only changes how a guest is powered, by Nova's names. */
const TURNS = {
  start: {
    policyAction: 'os_compute_api:servers:start',
    from: ['stopped'],
    task: 'powering-on',
    power: 'on',
    costs: true,
  },
  stop: { policyAction: 'os_compute_api:servers:stop', from: ['active', 'error'], task: 'powering-off', power: 'off' },
  pause: { policyAction: 'os_compute_api:os-pause-server:pause', from: ['active'], task: 'pausing', power: 'paused' },
  unpause: {
    policyAction: 'os_compute_api:os-pause-server:unpause',
    from: ['paused'],
    task: 'unpausing',
    power: 'on',
    costs: true,
  },
  suspend: {
    policyAction: 'os_compute_api:os-suspend-server:suspend',
    from: ['active'],
    task: 'suspending',
    power: 'suspended',
  },
  resume: {
    policyAction: 'os_compute_api:os-suspend-server:resume',
    from: ['suspended'],
    task: 'resuming',
    power: 'on',
    costs: true,
  },
} as const satisfies Record<string, Turn>;

/**
 * Turns a server on or off (its guest is asked to shut down), holds it still in its memory or on its disk, or lets it go on.
 * @param also - what else the batch holds
 * @throws ApiError 403 nobody could pay for it; 404; 409 in another state, or busy
 */
export async function turnServer(
  ctx: ActorContext,
  id: string,
  verb: keyof typeof TURNS,
  also: Statement[] = [],
): Promise<void> {
  const { policyAction, from, task, power, costs = false }: Turn = TURNS[verb];
  await commitTransition(ctx, {
    id,
    verb,
    policyAction,
    costs,
    allowed: { vmStates: from, launched: true },
    statements: [
      beginTask(ctx, id, task),
      patchDesiredServer(ctx.db, id, { path: '$.power', value: sql`${power}` }),
      ...startAction(ctx, { serverId: id, action: verb }),
      ...also,
    ],
    touches: hostOf(id),
  });
}
