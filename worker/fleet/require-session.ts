import { eq } from 'drizzle-orm';
import { runners } from '../../db/schema/fleet.ts';
import type { Context } from '../http/context.ts';
import { unauthorized } from '../http/errors.ts';
import { verifyRunnerToken } from './runner-token.ts';

/**
 * The runner that calls by HTTP, and its region.
 * @param authorization - the bearer of its welcome or of a beat
 * @throws ApiError 401 not this runner's newest session
 */
export async function requireSession(
  ctx: Context,
  authorization: string | undefined,
): Promise<{ id: string; region: string }> {
  const bearer = await verifyRunnerToken(ctx.env, ctx.clock, authorization);
  const [row] = await ctx.db
    .select({ epoch: runners.epoch, state: runners.state, region: runners.region })
    .from(runners)
    .where(eq(runners.id, bearer.id))
    .limit(1);
  if (!row || row.state === 'removed' || row.epoch !== bearer.epoch) {
    throw unauthorized('A newer session of this runner took over.');
  }
  return { id: bearer.id, region: row.region };
}
