import { sql } from 'drizzle-orm';
import { formatMinor } from '../../../shared/money.ts';
import type { ActorContext } from '../../http/context.ts';
import { readRows, type SubscriptionRow } from '../farmer/read-rateables.ts';
import { rateLine } from '../rating/rate-line.ts';
import { rowOf } from '../rows.ts';
import type { PurchaseRow } from '../views.ts';
import { findInvoice } from './show-invoice.ts';

/** Lines that one call rates again; the next goes on after the last. */
const LINES_MAX = 500;

/**
 * Rates an invoice's lines again, from spans and windows as they are, by the prices and the moment that they were rated by.
 * Nothing is written. What differs came later, and is due to be booked as a difference.
 * @param after - the last subscription of the answer before
 */
export async function rerateInvoice(ctx: ActorContext, id: string, after = '') {
  const { invoice } = await findInvoice(ctx, 'billing:invoices:rerate', id);
  const lasts = (
    await ctx.db.all<Record<string, unknown>>(sql`
      SELECT last.* FROM billing_purchases last WHERE last.subscription_id > ${after} AND (last.subscription_id, last.price_id, last.period_ms) IN (
          SELECT subscription_id, price_id, period_ms FROM billing_purchases
          WHERE account_id = ${invoice.accountId} AND invoice_month_ms = ${invoice.monthMs} AND currency = ${invoice.currency})
        AND last.revision = (SELECT max(revision) FROM billing_purchases other WHERE other.subscription_id = last.subscription_id
          AND other.price_id = last.price_id AND other.period_ms = last.period_ms)
      ORDER BY last.subscription_id, last.period_ms, last.price_id LIMIT ${LINES_MAX}`)
  ).map((raw) => rowOf<PurchaseRow>(raw));
  const differing: { subscription_id: string; price_id: string; booked: string; rerated: string }[] = [];
  for (const last of lasts) {
    const minor = await reratedMinor(ctx, last);
    if (minor === last.amountTotalMinor) continue;
    const { subscriptionId, priceId, currency } = last;
    const [booked, rerated] = [formatMinor(last.amountTotalMinor, currency), formatMinor(minor, currency)];
    differing.push({ subscription_id: subscriptionId, price_id: priceId, booked, rerated });
  }
  const next = lasts.length === LINES_MAX ? (lasts.at(-1)?.subscriptionId ?? null) : null;
  return { lines: lasts.length, differing, next };
}

/** What a line comes to by what there is to it now, for the moment of a purchase. */
async function reratedMinor(ctx: ActorContext, purchase: PurchaseRow): Promise<number> {
  const [raw] = await ctx.db.all<Record<string, unknown>>(
    sql`SELECT * FROM billing_subscriptions WHERE id = ${purchase.subscriptionId}`,
  );
  if (!raw) return 0;
  const [read] = await readRows(ctx.db, [rowOf<SubscriptionRow>(raw)], purchase.periodMs);
  const price = read?.rateable.prices.find(({ id }) => id === purchase.priceId);
  if (!read || !price) return 0;
  const total = rateLine(read.rateable, { price, periodMs: purchase.periodMs }, purchase.asOfMs);
  return Number(total.amountMinor);
}
