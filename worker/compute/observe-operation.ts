import type { RunnerMessageOf } from '../../shared/protocol/messages.ts';
import type { Effect } from '../fleet/observers.ts';
import type { Context } from '../http/context.ts';

/** What the end of an operation on a server (reboot) changes. */
export function serverOperationUpdated(
  _ctx: Context,
  _runnerId: string,
  _update: RunnerMessageOf<'operation-update'>,
): Effect {
  return { statements: [] };
}
