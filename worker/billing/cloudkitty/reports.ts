import { sql } from 'drizzle-orm';
import type { z } from 'zod';
import { formatMicros } from '../../../shared/money.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import type { ReportedPurchase } from '../reports/purchases-between.ts';
import { purchasesWith } from './attributes.ts';
import { listPoints } from './list-points.ts';
import { policy } from './policy.ts';
import { PAGE_MAX, type reportQuery, type storageQuery, type tenantsQuery, timeOf, type totalQuery } from './query.ts';
import { type Sum, summarize } from './summarize.ts';
import { chosen, namedOrOwn, type Usage } from './usage.ts';

/** How v1 names what it groups by. */
const GROUPINGS: Readonly<Record<string, string>> = { tenant_id: 'project_id', res_type: 'type' };

const usageOf = (ctx: ActorContext, query: z.infer<typeof totalQuery>): Usage => ({
  ...timeOf(query, ctx.clock.nowMs()),
  projectId: namedOrOwn(ctx, 'rating:reports:show', query),
  filters: new Map(query.service === undefined ? [] : [['type', [query.service]]]),
});

/** @throws ApiError 400, 403 */
export async function reportSummary(
  ctx: ActorContext,
  query: z.infer<typeof reportQuery>,
): Promise<{ sums: Sum[]; projectId: string | null }> {
  const usage = usageOf(ctx, query);
  // As CloudKitty, which reads of the list what it knows.
  const groupBy = Object.entries(GROUPINGS).flatMap(([name, ours]) => (query.groupby.includes(name) ? [ours] : []));
  return { sums: await summarize(ctx, usage, groupBy), projectId: usage.projectId };
}

/** What all of it comes to, as a decimal text. @throws ApiError 400 it is in two currencies; 403 */
export async function reportTotal(ctx: ActorContext, query: z.infer<typeof totalQuery>): Promise<string> {
  const [sum, other] = await summarize(ctx, usageOf(ctx, query), []);
  if (sum && other)
    throw badRequest(`This is in ${sum.currency} and ${other.currency}, which have no sum: ask for the summary.`);
  return sum ? formatMicros(sum.micros, sum.currency) : '0';
}

/** The projects that used something in a time. */
export async function listTenants(ctx: ActorContext, query: z.infer<typeof tenantsQuery>): Promise<string[]> {
  authorize(ctx, policy, 'rating:tenants:list');
  const usage = { ...timeOf(query, ctx.clock.nowMs()), projectId: null, filters: new Map() };
  const rows = await ctx.db.all<{ id: string }>(sql`
    SELECT DISTINCT purchase.project_id AS id FROM ${purchasesWith([])} WHERE ${chosen(ctx, usage)} ORDER BY 1`);
  return rows.map(({ id }) => id);
}

/** Usage of v1, which has no pages. @throws ApiError 400 there is more than one answer takes; 403 */
export async function storedFrames(
  ctx: ActorContext,
  query: z.infer<typeof storageQuery>,
): Promise<ReportedPurchase[]> {
  const filters = new Map(query.resource_type === undefined ? [] : [['type', [query.resource_type]]]);
  const projectId = namedOrAll(ctx, query.tenant_id);
  const usage = { ...timeOf(query, ctx.clock.nowMs()), projectId, filters };
  const { total, points } = await listPoints(ctx, usage, { offset: 0, limit: PAGE_MAX });
  if (total > PAGE_MAX) throw badRequest('There is more than one answer takes: ask for less time, or by v2 for pages.');
  return points;
}

/** An admin who names no project means all. */
const namedOrAll = (ctx: ActorContext, asked: string | undefined) =>
  namedOrOwn(ctx, 'rating:dataframes:list', {
    tenant_id: asked,
    all_tenants: asked === undefined && ctx.actor.roles.includes('admin'),
  });
