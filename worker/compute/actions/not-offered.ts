import type { ActorContext } from '../../http/context.ts';
import { ApiError, conflict, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import type { Microversion } from '../http/microversion.ts';
import { policy } from '../policy.ts';
import { findServer } from '../servers/find-server.ts';

/** Actions that need a state which no server here is ever in: what is deleted is gone at once. */
const IMPOSSIBLE: ReadonlySet<string> = new Set(['restore']);
/** The last versions that know them, where they did not last. */
const UNTIL: Readonly<Record<string, Microversion>> = {
  'os-getRDPConsole': 5,
};
/** What Nova has removed for good. */
const GONE: ReadonlySet<string> = new Set(['resetNetwork', 'injectNetworkInfo', 'os-getRDPConsole']);

/** Whether Nova has, or had, an action of this name that is refused here. */
export const isNotOffered = (name: string): boolean => IMPOSSIBLE.has(name) || GONE.has(name);

/**
 * Refuses an action as Nova would: because it is no more, for the server that is not there, or for the state that it is not in.
 * @throws ApiError 404, 409, 410
 */
export async function refuseAction(ctx: ActorContext, id: string, name: string, version: Microversion): Promise<never> {
  if (version > (UNTIL[name] ?? version)) throw notFound('The resource could not be found.');
  if (GONE.has(name)) {
    throw new ApiError(410, 'This resource is no longer available. No forwarding address is given.');
  }
  authorize(ctx, policy, 'os_compute_api:servers:show');
  const row = await findServer(ctx, id);
  throw conflict(`Cannot '${name}' instance ${id} while it is in vm_state ${row.vmState}`);
}
