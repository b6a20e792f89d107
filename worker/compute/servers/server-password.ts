import type { ActorContext } from '../../http/context.ts';
import { authorize } from '../../http/policy.ts';
import { policy } from '../policy.ts';
import { findServer } from './find-server.ts';

/**
 * The password that a guest has made up and sealed with its owner's key. No guest here can tell one: it is empty, which is
 * what clients are told of a guest that has not.
 * @throws ApiError 404
 */
export async function showPassword(ctx: ActorContext, id: string): Promise<string> {
  authorize(ctx, policy, 'os_compute_api:os-server-password:show');
  await findServer(ctx, id);
  return '';
}

/** Forgets that password. @throws ApiError 404 */
export async function clearPassword(ctx: ActorContext, id: string): Promise<void> {
  authorize(ctx, policy, 'os_compute_api:os-server-password:clear');
  await findServer(ctx, id);
}
