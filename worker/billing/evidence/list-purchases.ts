import { type SQL, sql } from 'drizzle-orm';
import type { z } from 'zod';
import type { ActorContext } from '../../http/context.ts';
import { findInvoice, findLine } from '../invoices/find-invoice.ts';
import type { purchaseList } from '../lists.ts';
import { rowOf } from '../rows.ts';
import { scopeProjects } from '../scope.ts';
import type { PurchaseRow } from '../views.ts';

/** What was booked: of a project, a subscription, or a line of an invoice; in the order of booking. */
export async function listPurchases(ctx: ActorContext, of: z.infer<typeof purchaseList>): Promise<PurchaseRow[]> {
  const { marker, subscription_id: subscription } = of;
  // Only what is asked: a condition that may be none keeps the database from its indexes.
  const conditions = [
    sql`purchase.region = ${ctx.region}`,
    await chosen(ctx, of),
    ...(subscription === undefined ? [] : [sql`purchase.subscription_id = ${subscription}`]),
    ...(marker === undefined
      ? []
      : [sql`purchase.sequence > (SELECT sequence FROM billing_purchases WHERE id = ${marker})`]),
  ];
  const rows = await ctx.db.all<Record<string, unknown>>(sql`
    SELECT purchase.* FROM billing_purchases purchase WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY purchase.sequence LIMIT ${of.limit}`);
  return rows.map((raw) => rowOf<PurchaseRow>(raw));
}

async function chosen(ctx: ActorContext, of: z.infer<typeof purchaseList>): Promise<SQL> {
  if (of.invoice_id === undefined) {
    const projectId = scopeProjects(ctx, 'billing:purchases:list', of.project_id);
    return projectId === null ? sql`1` : sql`purchase.project_id = ${projectId}`;
  }
  const { invoice } = await findInvoice(ctx, 'billing:purchases:list', of.invoice_id);
  const billed = sql`purchase.account_id = ${invoice.accountId} AND purchase.invoice_month_ms = ${invoice.monthMs} AND purchase.currency = ${invoice.currency}`;
  if (of.line === undefined) return billed;
  const { projectId, priceId, periodMs } = await findLine(ctx, invoice, of.line);
  return sql`${billed} AND purchase.project_id = ${projectId} AND purchase.price_id = ${priceId} AND purchase.period_ms = ${periodMs}`;
}
