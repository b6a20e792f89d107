import type { ActorContext } from '../../http/context.ts';
import { startAction } from '../servers/actions.ts';
import { askHost } from '../servers/ask-host.ts';
import { hostOf } from '../servers/desired-server.ts';
import { commitTransition } from '../servers/transition.ts';

/** An interrupt takes no time; the host may be busy with the server. */
const DEADLINE_MS = 60_000;

/** Has a guest's kernel dump its memory, by an interrupt that it cannot mask. @throws ApiError 404, 409 */
export async function triggerCrashDump(ctx: ActorContext, id: string): Promise<void> {
  await commitTransition(ctx, {
    id,
    verb: 'trigger_crash_dump',
    policyAction: 'os_compute_api:servers:trigger_crash_dump',
    allowed: { vmStates: ['active', 'paused', 'rescued', 'resized', 'error'], launched: true },
    statements: [
      askHost(ctx, id, { kind: 'crash-dump', args: {}, deadlineMs: ctx.clock.nowMs() + DEADLINE_MS }),
      ...startAction(ctx, { serverId: id, action: 'trigger_crash_dump' }),
    ],
    touches: hostOf(id),
  });
}
