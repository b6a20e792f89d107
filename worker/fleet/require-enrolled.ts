import { eq } from 'drizzle-orm';
import { runners } from '../../db/schema/fleet.ts';
import type { Context } from '../http/context.ts';
import { notFound } from '../http/errors.ts';

/** Refuses ids that nobody enrolled, so that strangers make no objects with storage of their own. @throws ApiError 404 */
export async function requireEnrolled(ctx: Context, runnerId: string): Promise<void> {
  const [row] = await ctx.db.select({ id: runners.id }).from(runners).where(eq(runners.id, runnerId)).limit(1);
  if (!row) throw notFound('This runner is not known here. Join again with a new token.');
}
