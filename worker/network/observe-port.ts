import type { Observation } from '../../shared/protocol/messages.ts';
import type { Effect } from '../fleet/observers.ts';
import type { Context } from '../http/context.ts';

/** What a runner's report of a port changes. */
export function portObserved(_ctx: Context, _runnerId: string, _observation: Observation): Effect {
  return { statements: [] };
}
