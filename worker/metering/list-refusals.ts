import { and, desc, eq, lt } from 'drizzle-orm';
import { z } from 'zod';
import { meterRefusals } from '../../db/schema/metering.ts';
import type { ActorContext } from '../http/context.ts';
import { authorize } from '../http/policy.ts';
import { iso } from '../http/times.ts';
import { policy } from './policy.ts';

const REFUSALS_PER_PAGE_MAX = 1_000;

export const refusalsQuery = z.strictObject({
  runner_id: z.string().max(64).optional(),
  reason: z.string().max(32).optional(),
  /** Only those whose last was before this moment, in ISO 8601: the last of the page before. */
  before: z.iso.datetime({ offset: true }).optional(),
  limit: z.coerce.number().int().min(1).max(REFUSALS_PER_PAGE_MAX).default(100),
});

/** What machines said that was refused, the latest first. */
export async function listRefusals(ctx: ActorContext, of: z.infer<typeof refusalsQuery>) {
  authorize(ctx, policy, 'metering:refusals:list');
  const rows = await ctx.db
    .select()
    .from(meterRefusals)
    .where(
      and(
        eq(meterRefusals.region, ctx.region),
        ...(of.runner_id === undefined ? [] : [eq(meterRefusals.runnerId, of.runner_id)]),
        ...(of.reason === undefined ? [] : [eq(meterRefusals.reason, of.reason)]),
        ...(of.before === undefined ? [] : [lt(meterRefusals.lastAtMs, Date.parse(of.before))]),
      ),
    )
    .orderBy(desc(meterRefusals.lastAtMs), desc(meterRefusals.id))
    .limit(of.limit);
  return rows.map((row) => ({
    runner_id: row.runnerId,
    reason: row.reason,
    resource: { type: row.resourceType, id: row.resourceId },
    meter: row.meter === '' ? null : row.meter,
    count: row.count,
    first_at: iso(row.firstAtMs),
    last_at: iso(row.lastAtMs),
    last_value: row.lastValue,
  }));
}
