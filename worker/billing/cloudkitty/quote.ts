import { z } from 'zod';
import { add, isDecimal, multiply, parseDecimal, type Rational, rational, ZERO } from '../../../shared/money.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { listProducts, type Priced } from '../catalog/list-products.ts';
import { HOUR_MS, monthStart } from '../rating/calendar.ts';
import { priceTerms } from '../rating/price-terms.ts';
import { rateQuantity } from '../rating/rate-quantity.ts';
import { timeUnitMs } from '../rating/units.ts';
import { policy } from './policy.ts';
import { nearest } from './usage.ts';

const RESOURCES_MAX = 100;

const volume = z
  .union([z.number().transform((value) => String(value)), z.string()])
  .refine((text) => isDecimal(text) && !text.startsWith('-'), 'It is a decimal number, and not below zero.');
export const quoteBody = z.object({
  resources: z
    .array(
      z.object({
        service: z.string().max(128),
        desc: z.record(z.string(), z.unknown()).default({}),
        volume: volume.default('1'),
      }),
    )
    .max(RESOURCES_MAX),
});
export type QuoteBody = z.infer<typeof quoteBody>;
type Resource = QuoteBody['resources'][number];

/**
 * What resources would cost: so many of them for an hour, which is CloudKitty's period, or so much of what is metered. It is
 * the price of each for itself, without what is used already; a type that has no price costs nothing.
 * @returns the number nearest to the exact sum
 * @throws ApiError 400 a service that nothing on sale is of; prices in two currencies
 */
export async function quote(ctx: ActorContext, { resources }: QuoteBody): Promise<number> {
  authorize(ctx, policy, 'rating:quotes:create');
  const priced = await listProducts(ctx, {});
  const costs = resources.map((resource) => costOf(resource, priced, ctx.clock.nowMs()));
  const currencies = new Set(costs.flatMap(({ currency }) => currency ?? []));
  if (currencies.size > 1)
    throw badRequest(`These are priced in ${[...currencies].join(' and ')}: ask for each apart.`);
  return nearest(costs.reduce((sum, { cost }) => add(sum, cost), ZERO));
}

function costOf(of: Resource, priced: Priced[], nowMs: number): { cost: Rational; currency?: string } {
  const sold = priced.filter(({ product }) => product.item === of.service && product.automatic);
  if (sold.length === 0) throw badRequest(`Invalid service '${of.service.slice(0, 64)}': nothing on sale is of it.`);
  const type = [of.desc.item_type, of.desc.flavor_name, of.desc.flavor].find((one) => typeof one === 'string');
  const found = sold.find(({ product }) => product.itemType === (type ?? 'default'));
  const price = found?.prices.findLast(({ effectiveFromMs }) => effectiveFromMs <= nowMs);
  if (!found || !price) return { cost: ZERO };
  const { product } = found;
  const terms = priceTerms.parse(price.terms);
  const amount = parseDecimal(of.volume);
  if (product.kind === 'volume') return { cost: rateQuantity(terms, amount, rational(1n)), currency: product.currency };
  const unitMs = BigInt(timeUnitMs(product.orderUnit, monthStart(nowMs))) * BigInt(product.orderSize);
  const used = multiply(amount, rational(BigInt(HOUR_MS), unitMs * BigInt(product.quantityPer)));
  return { cost: rateQuantity(terms, used, rational(1n)), currency: product.currency };
}
