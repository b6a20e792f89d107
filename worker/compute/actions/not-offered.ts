import type { ActorContext } from '../../http/context.ts';
import { ApiError, conflict } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { policy } from '../policy.ts';
import { findServer } from '../servers/find-server.ts';

/** Actions that need a state which no server here is ever in, by Nova's names for them in messages. */
const IMPOSSIBLE: Readonly<Record<string, string>> = {
  restore: 'restore',
};
/** Actions of Nova that are not offered here. */
const NOT_OFFERED: ReadonlySet<string> = new Set([
  ...['addFloatingIp', 'removeFloatingIp', 'resetNetwork', 'injectNetworkInfo', 'os-getRDPConsole'],
]);

/** Whether Nova has an action of this name that is refused here. */
export const isNotOffered = (name: string): boolean => Object.hasOwn(IMPOSSIBLE, name) || NOT_OFFERED.has(name);

/**
 * Refuses an action as Nova would: for the server that is not there, for the state that it is not in, and where neither
 * says it, because it is not offered.
 * @throws ApiError 404, 409, 501
 */
export async function refuseAction(ctx: ActorContext, id: string, name: string): Promise<never> {
  authorize(ctx, policy, 'os_compute_api:servers:show');
  const row = await findServer(ctx, id);
  const verb = IMPOSSIBLE[name];
  if (verb !== undefined) throw conflict(`Cannot '${verb}' instance ${id} while it is in vm_state ${row.vmState}`);
  throw new ApiError(501, `The requested functionality is not supported: servers here have no action '${name}'.`);
}
