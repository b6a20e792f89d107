import type { ActorContext } from '../../http/context.ts';
import { enforce } from '../policy.ts';
import { type Usage, usageOf, usageRead } from './limits-in-force.ts';

/** A project's limits, and what is used of them. @throws ApiError 403 another's project */
export async function showQuota(ctx: ActorContext, projectId: string): Promise<Usage> {
  enforce(ctx, 'get_quota', { projectId });
  return usageOf(await usageRead(ctx, projectId));
}
