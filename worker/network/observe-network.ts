import type { Observation } from '../../shared/protocol/messages.ts';
import type { Effect } from '../fleet/observers.ts';
import type { Context } from '../http/context.ts';

/** What a runner's report of a network changes: a network has no status of its own, so a failure is told in the log. */
export function networkObserved(ctx: Context, runnerId: string, observation: Observation): Effect {
  if (observation.state === 'failed') {
    ctx.log.error('network-failed', { runnerId, networkId: observation.id, fault: observation.fault });
  }
  return { statements: [] };
}
