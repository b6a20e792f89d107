import { eq, sql } from 'drizzle-orm';
import { intranetFilters, intranetPrefixes, intranetRules } from '../../../db/schema/intranet.ts';
import type { ActorContext } from '../../http/context.ts';
import { authorize } from '../../http/policy.ts';
import { iso } from '../../http/times.ts';
import { policy } from './policy.ts';

/** What holds in a region where nobody has said anything: on, for the prefixes there are. */
export const DEFAULTS = { enabled: true, dryRun: false };

/** The region's filter: whether it is on, and how much there is of it. */
export async function showFilter(ctx: ActorContext) {
  authorize(ctx, policy, 'intranet:filter:show');
  const [rows, [prefixes], [rules]] = await ctx.db.batch([
    ctx.db.select().from(intranetFilters).where(eq(intranetFilters.region, ctx.region)),
    ctx.db.select({ n: sql<number>`count(*)` }).from(intranetPrefixes).where(eq(intranetPrefixes.region, ctx.region)),
    ctx.db.select({ n: sql<number>`count(*)` }).from(intranetRules).where(eq(intranetRules.region, ctx.region)),
  ]);
  const { enabled, dryRun } = rows[0] ?? DEFAULTS;
  return {
    enabled,
    dry_run: dryRun,
    prefixes: prefixes?.n ?? 0,
    rules: rules?.n ?? 0,
    updated_by: rows[0]?.updatedBy ?? null,
    updated_at: rows[0] ? iso(rows[0].updatedAtMs) : null,
  };
}
