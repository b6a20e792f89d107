import type { ActorContext } from '../../http/context.ts';
import { authorize, isAdmin } from '../../http/policy.ts';
import type { Microversion } from '../http/microversion.ts';
import { policy } from '../policy.ts';
import { findServer } from './find-server.ts';
import type { ServerRow } from './server-rows.ts';

/** One server. @throws ApiError 404 */
export async function showServer(ctx: ActorContext, id: string, version: Microversion): Promise<ServerRow> {
  authorize(ctx, policy, 'os_compute_api:servers:show');
  return findServer(ctx, id, { userData: isAdmin(ctx) && version >= 3 });
}
