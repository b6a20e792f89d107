import { add, multiply, parseDecimal, type Rational, rational, toMicros, ZERO } from '../../../shared/money.ts';
import { floorHour, intervalEnd, monthEnd } from './calendar.ts';
import { rateQuantity } from './rate-quantity.ts';
import type { Price, Rateable } from './rateable.ts';
import { sumBetween } from './sum-windows.ts';
import { timeUnitMs, volumeUnit } from './units.ts';

/** A line by what tells it apart within its subscription. */
export interface LineKey {
  price: Price;
  /** The first moment of its month. */
  periodMs: number;
}

/** What a line comes to. */
export interface LineTotal {
  /** In the price's unit, exactly. */
  quantity: Rational;
  amountMicros: bigint;
  /** The service that it is for. */
  fromMs: number;
  throughMs: number;
}

/** Through when is charged, as known at a moment: what is prepaid, to the end of the interval. */
export function chargedThrough({ product, subscription }: Rateable, asOfMs: number): number {
  const end = endAsOf(subscription.endMs, asOfMs);
  if (end !== null) return end;
  return product.prepaid ? intervalEnd(product.interval, asOfMs) : asOfMs;
}

const endAsOf = (endMs: number | null, asOfMs: number): number | null =>
  endMs !== null && endMs <= asOfMs ? endMs : null;

/** The prices that are in force somewhere in a month, as known at a moment. */
export function pricesOf({ prices }: Rateable, periodMs: number, asOfMs: number): Price[] {
  const known = prices.filter((price) => price.effectiveFromMs <= asOfMs && price.effectiveFromMs < monthEnd(periodMs));
  return known.filter((_, at) => (known[at + 1]?.effectiveFromMs ?? Number.POSITIVE_INFINITY) > periodMs);
}

/**
 * What a line comes to, by what was known at a moment: spans that began later are not there, those that ended later still
 * last, prices that hold from later do not. So whoever rates it later, for that moment, finds the same.
 */
export function rateLine(of: Rateable, { price, periodMs }: LineKey, asOfMs: number): LineTotal {
  const month = { from: periodMs, to: monthEnd(periodMs) };
  const next = pricesOf(of, periodMs, asOfMs).find((other) => other.effectiveFromMs > price.effectiveFromMs);
  // A month's allowance is shared by the prices that hold in it. Before the first there is none to share it with.
  const first = of.prices[0] === price;
  const force = {
    from: first ? month.from : Math.max(month.from, price.effectiveFromMs),
    to: next?.effectiveFromMs ?? month.to,
  };
  const from = Math.max(force.from, price.effectiveFromMs, of.subscription.startMs);
  const through = Math.max(from, Math.min(force.to, chargedThrough(of, asOfMs)));
  const share = rational(BigInt(Math.max(0, force.to - force.from)), BigInt(month.to - month.from));
  const used = { from, to: through, asOfMs };
  const quantity = of.product.kind === 'time' ? timeUsed(of, price, periodMs, used) : volumeUsed(of, used);
  const amountMicros = toMicros(rateQuantity(price.terms, quantity, share));
  return { quantity, amountMicros, fromMs: from, throughMs: through };
}

/** What never ran, or is gone and may only come back, costs nothing unless the price says so. */
const FREE_STATES = new Set(['building', 'error', 'soft-delete']);

export const weightOf = ({ terms }: Pick<Price, 'terms'>, state: string): string =>
  terms.weights[state] ?? (FREE_STATES.has(state) ? '0' : '1');

interface Used {
  from: number;
  to: number;
  asOfMs: number;
}

/** Milliseconds times how much of the resource there was, by the weight of its state. */
function timeUsed(of: Rateable, price: Price, periodMs: number, { from, to, asOfMs }: Used): Rational {
  const byState = new Map<string, bigint>();
  for (const span of of.spans) {
    if (span.startMs > asOfMs) continue;
    const end = endAsOf(span.endMs, asOfMs) ?? to;
    const ms = Math.min(end, to) - Math.max(span.startMs, from);
    if (ms > 0) byState.set(span.state, (byState.get(span.state) ?? 0n) + BigInt(ms) * BigInt(span.quantity));
  }
  let sum = ZERO;
  for (const [state, amount] of byState) {
    sum = add(sum, multiply(rational(amount), parseDecimal(weightOf(price, state))));
  }
  const { orderUnit, orderSize, quantityPer } = of.product;
  const unit = BigInt(timeUnitMs(orderUnit, periodMs)) * BigInt(orderSize) * BigInt(quantityPer);
  return multiply(sum, rational(1n, unit));
}

/** An hour's window belongs to what was subscribed when the hour began, or began in it. */
function volumeUsed(of: Rateable, { from, to }: Used): Rational {
  const sum = sumBetween(of.windows, floorHour(from), to);
  const { item, orderUnit, orderSize } = of.product;
  return { n: sum, d: BigInt(volumeUnit(item, orderUnit)) * BigInt(orderSize) };
}
