import { sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import { PURCHASE_COLUMNS, purchasesOf, type ReportedPurchase } from '../reports/purchases-between.ts';
import { rowOf } from '../rows.ts';
import { purchasesWith } from './attributes.ts';
import { chosen, type Usage } from './usage.ts';

/** Rated usage, purchase by purchase, in the order of when the service began; and how much there is of it. */
export async function listPoints(
  ctx: ActorContext,
  of: Usage,
  { offset, limit }: { offset: number; limit: number },
): Promise<{ total: number; points: ReportedPurchase[] }> {
  const from = sql`FROM ${purchasesWith(of.filters.keys())} WHERE ${chosen(ctx, of)}`;
  const order = sql`ORDER BY purchase.from_ms, purchase.through_ms, purchase.sequence`;
  const page = sql`(SELECT purchase.* ${from} ${order} LIMIT ${limit} OFFSET ${offset})`;
  const [[counted], rows] = await ctx.db.batch([
    ctx.db.all<{ total: number }>(sql`SELECT count(*) AS total ${from}`),
    ctx.db.all<Record<string, unknown>>(sql`SELECT ${PURCHASE_COLUMNS} FROM ${purchasesOf(page)} ${order}`),
  ]);
  return { total: counted?.total ?? 0, points: rows.map((raw) => rowOf<ReportedPurchase>(raw)) };
}
