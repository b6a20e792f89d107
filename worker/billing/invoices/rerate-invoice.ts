import { sql } from 'drizzle-orm';
import { formatMicros } from '../../../shared/money.ts';
import type { ActorContext } from '../../http/context.ts';
import { ApiError } from '../../http/errors.ts';
import { readRows, type SubscriptionRow } from '../farmer/read-rateables.ts';
import { rateLine } from '../rating/rate-line.ts';
import { rowOf } from '../rows.ts';
import type { PurchaseRow } from '../views.ts';
import { type DetailKey, FIRST_DETAIL, usedOf } from './details-of.ts';
import { findInvoice } from './find-invoice.ts';

/** Details that one call rates again; the next goes on after the last. */
const DETAILS_MAX = 500;

/**
 * Rates what an invoice has of each subscription again, from spans and windows as they are, by the prices and the moment
 * that it was rated by. Nothing is written. What differs came later, and is due to be booked as a difference.
 * @param after - `next` of the answer before
 */
export async function rerateInvoice(ctx: ActorContext, id: string, after?: string) {
  const { invoice } = await findInvoice(ctx, 'billing:invoices:rerate', id);
  const from = after === undefined ? FIRST_DETAIL : readKey(after);
  const keys = (await ctx.db.all<Record<string, unknown>>(usedOf(invoice.id, from, DETAILS_MAX))).map((raw) =>
    rowOf<DetailKey>(raw),
  );
  const differing: { subscription_id: string; price_id: string; booked: string; rerated: string }[] = [];
  for (const key of keys) {
    const last = await lastPurchase(ctx, key);
    const micros = await reratedMicros(ctx, last);
    if (micros === last.amountTotalMicros) continue;
    const { subscriptionId, priceId, currency } = last;
    const [booked, rerated] = [formatMicros(last.amountTotalMicros, currency), formatMicros(micros, currency)];
    differing.push({ subscription_id: subscriptionId, price_id: priceId, booked, rerated });
  }
  const last = keys.length === DETAILS_MAX ? keys.at(-1) : undefined;
  return { details: keys.length, differing, next: last ? writeKey(last) : null };
}

const writeKey = (key: DetailKey): string => `${key.subscriptionId},${key.priceId},${key.periodMs}`;

function readKey(text: string): DetailKey {
  const [subscriptionId = '', priceId = '', periodMs = ''] = text.split(',');
  if (!/^\d{1,15}$/.test(periodMs)) throw new ApiError(400, 'after must be what the answer before said is next.');
  return { subscriptionId, priceId, periodMs: Number(periodMs) };
}

async function lastPurchase(ctx: ActorContext, { subscriptionId, priceId, periodMs }: DetailKey): Promise<PurchaseRow> {
  const [raw] = await ctx.db.all<Record<string, unknown>>(sql`SELECT * FROM billing_purchases
    WHERE subscription_id = ${subscriptionId} AND price_id = ${priceId} AND period_ms = ${periodMs} ORDER BY revision DESC LIMIT 1`);
  return rowOf<PurchaseRow>(raw ?? {});
}

/** What a line comes to by what there is to it now, for the moment of a purchase. */
async function reratedMicros(ctx: ActorContext, purchase: PurchaseRow): Promise<number> {
  const [raw] = await ctx.db.all<Record<string, unknown>>(
    sql`SELECT * FROM billing_subscriptions WHERE id = ${purchase.subscriptionId}`,
  );
  if (!raw) return 0;
  const [read] = await readRows(ctx.db, [rowOf<SubscriptionRow>(raw)], purchase.periodMs);
  const price = read?.rateable.prices.find(({ id }) => id === purchase.priceId);
  if (!read || !price) return 0;
  const total = rateLine(read.rateable, { price, periodMs: purchase.periodMs }, purchase.asOfMs);
  return Number(total.amountMicros);
}
