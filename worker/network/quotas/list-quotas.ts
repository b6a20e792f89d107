import { asc, eq } from 'drizzle-orm';
import { networkQuotas } from '../../../db/schema/network-quotas.ts';
import type { ActorContext } from '../../http/context.ts';
import { enforce } from '../policy.ts';
import { DEFAULT_LIMITS, type Limits } from './resources.ts';

const LISTED_MAX = 5000;

/** The projects whose limits an operator set. @throws ApiError 403 */
export async function listQuotas(ctx: ActorContext): Promise<{ projectId: string; limits: Limits }[]> {
  enforce(ctx, 'get_quotas');
  const rows = await ctx.db
    .select()
    .from(networkQuotas)
    .where(eq(networkQuotas.region, ctx.region))
    .orderBy(asc(networkQuotas.projectId))
    .limit(LISTED_MAX);
  return rows.map(({ projectId, limits }) => ({ projectId, limits: { ...DEFAULT_LIMITS, ...limits } }));
}
