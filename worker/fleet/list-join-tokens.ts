import { desc, eq } from 'drizzle-orm';
import { joinTokens } from '../../db/schema/fleet.ts';
import type { ActorContext } from '../http/context.ts';
import { authorize } from '../http/policy.ts';
import { policy } from './policy.ts';
import { joinTokenView } from './views.ts';

const LISTED_MAX = 1000;

/** The region's join tokens, newest first, without their secrets. */
export async function listJoinTokens(ctx: ActorContext) {
  authorize(ctx, policy, 'fleet:join-tokens:list');
  const rows = await ctx.db
    .select()
    .from(joinTokens)
    .where(eq(joinTokens.region, ctx.region))
    .orderBy(desc(joinTokens.createdAtMs))
    .limit(LISTED_MAX);
  return rows.map(joinTokenView);
}
