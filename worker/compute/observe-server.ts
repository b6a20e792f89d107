import type { Observation } from '../../shared/protocol/messages.ts';
import type { Effect } from '../fleet/observers.ts';
import type { Context } from '../http/context.ts';

/** What a runner's report of a guest changes: states, faults, actions, and on `absent` the end of the server. */
export function serverObserved(_ctx: Context, _runnerId: string, _observation: Observation): Effect {
  return { statements: [] };
}
