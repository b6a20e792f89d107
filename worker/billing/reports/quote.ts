import { type SQL, sql } from 'drizzle-orm';
import type { billingProducts } from '../../../db/schema/billing.ts';
import { formatMicros, multiply, parseDecimal, rational, toMicros } from '../../../shared/money.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { badRequest, notFound } from '../../http/errors.ts';
import { requireProject } from '../../http/policy.ts';
import type { QuoteRequest } from '../bodies.ts';
import { DAY_MS, HOUR_MS, monthEnd, monthStart } from '../rating/calendar.ts';
import { type PriceTerms, priceTerms } from '../rating/price-terms.ts';
import { rateQuantity } from '../rating/rate-quantity.ts';
import { timeUnitMs } from '../rating/units.ts';
import { rowOf } from '../rows.ts';
import { scopeProject } from '../scope.ts';

export interface Offer {
  product: typeof billingProducts.$inferSelect;
  terms: PriceTerms;
}

/** The read of what a resource of a kind is charged by now, for the caller's batch of reads. */
export const offerRead = (ctx: Context, item: string, itemType: string | SQL) =>
  ctx.db.all<Record<string, unknown>>(sql`
    SELECT product.*, price.terms FROM billing_products product JOIN billing_prices price ON price.product_id = product.id
    WHERE product.region = ${ctx.region} AND product.item = ${item} AND product.item_type = ${itemType} AND product.automatic = 1
      AND product.retired_at_ms IS NULL AND price.effective_from_ms <= ${ctx.clock.nowMs()}
    ORDER BY price.effective_from_ms DESC LIMIT 1`);

/** What `offerRead` found; null where it costs nothing. */
export function offerOf([raw]: readonly Record<string, unknown>[]): Offer | null {
  if (!raw) return null;
  const { terms, ...product } = rowOf<Offer['product'] & { terms: string }>(raw);
  return { product, terms: priceTerms.parse(JSON.parse(terms)) };
}

/** What a resource of a kind is charged by now; null where it costs nothing. */
export const offerFor = async (ctx: Context, item: string, itemType: string | SQL): Promise<Offer | null> =>
  offerOf(await offerRead(ctx, item, itemType));

/**
 * What one resource costs that is there for a time of this month, and of nothing else, in micros.
 * @param weight - of its state
 */
export function costOf({ product, terms }: Offer, ms: number, quantity: number, nowMs: number, weight = '1'): bigint {
  const unit = BigInt(timeUnitMs(product.orderUnit, monthStart(nowMs))) * BigInt(product.orderSize);
  const used = rational(BigInt(ms) * BigInt(quantity), unit * BigInt(product.quantityPer));
  return toMicros(rateQuantity(terms, multiply(used, parseDecimal(weight)), rational(1n)));
}

/**
 * What something would cost, before it is made: for an hour, a day and this month from end to end.
 * @throws ApiError 400 what is metered, whose use nobody knows yet; 404 it has no price
 */
export async function quote(ctx: ActorContext, input: QuoteRequest) {
  scopeProject(ctx, 'billing:quotes:create', requireProject(ctx).actor.projectId);
  const offer = await offerFor(ctx, input.item, input.item_type);
  if (!offer) throw notFound(`${input.item} of type ${input.item_type} has no price: it costs nothing.`);
  const { product, terms } = offer;
  if (product.kind !== 'time') throw badRequest('What is metered costs what is used: see the terms of its price.');
  const now = ctx.clock.nowMs();
  const cost = (ms: number) =>
    formatMicros(costOf(offer, ms, input.quantity, now) * BigInt(input.count), product.currency);
  return {
    product_id: product.id,
    item: input.item,
    item_type: input.item_type,
    count: input.count,
    currency: product.currency,
    prepaid: product.prepaid,
    interval: product.interval,
    terms,
    hours_of_month: (monthEnd(now) - monthStart(now)) / HOUR_MS,
    cost: { hour: cost(HOUR_MS), day: cost(DAY_MS), month: cost(monthEnd(now) - monthStart(now)) },
  };
}
