import type { PriceTerms } from '../../worker/billing/rating/price-terms.ts';
import type { Price, Rateable, Span } from '../../worker/billing/rating/rateable.ts';

/**
 * A biller for tests that knows nothing of how the real one works: it walks every second of a resource's life, counts
 * what each price of each month has of it, and prices the count at the end, in whole numbers over one denominator.
 */
export interface NaiveLine {
  priceId: string;
  periodMs: number;
  micros: bigint;
}

const SECOND_MS = 1000;
const MILLI = 1000n;

/** @param throughMs - the end of what is charged; `asOfMs` - spans lasted then that had not ended, and go on as they were */
export function billNaively(of: Rateable, throughMs: number, asOfMs: number): NaiveLine[] {
  const counts = new Map<string, { price: Price; monthMs: number; states: Map<string, number> }>();
  const end = of.subscription.endMs;
  const stop = end !== null && end <= asOfMs ? Math.min(end, throughMs) : throughMs;
  let month = { from: 0, to: 0 };
  for (let at = of.subscription.startMs; at < stop; at += SECOND_MS) {
    if (at >= month.to) month = monthAround(at);
    const span = spanAt(of.spans, at, asOfMs);
    const price = priceAt(of.prices, at, asOfMs);
    if (!span || !price) continue;
    const key = `${price.id} ${month.from}`;
    const line = counts.get(key) ?? { price, monthMs: month.from, states: new Map<string, number>() };
    line.states.set(span.state, (line.states.get(span.state) ?? 0) + span.quantity);
    counts.set(key, line);
  }
  return [...counts.values()].map(({ price, monthMs, states }) => {
    let millis = 0n;
    for (const [state, seconds] of states) millis += toMillis(price.terms.weights[state] ?? '1') * BigInt(seconds);
    return { priceId: price.id, periodMs: monthMs, micros: priceCount(of, price, monthMs, millis, asOfMs) };
  });
}

function monthAround(at: number): { from: number; to: number } {
  const date = new Date(at);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return { from: Date.UTC(year, month), to: Date.UTC(year, month + 1) };
}

/** The last that holds by then. */
function priceAt(prices: Price[], at: number, asOfMs: number): Price | undefined {
  let found: Price | undefined;
  for (const price of prices) if (price.effectiveFromMs <= at && price.effectiveFromMs <= asOfMs) found = price;
  return found;
}

function spanAt(spans: Span[], at: number, asOfMs: number): Span | undefined {
  return spans.find(({ startMs, endMs }) => {
    const lasts = endMs === null || endMs > asOfMs;
    return startMs <= asOfMs && startMs <= at && (lasts || at < endMs);
  });
}

/** `0.125` as 125. */
function toMillis(text: string): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole) * MILLI + BigInt(fraction.padEnd(3, '0'));
}

/** Everything below is a whole number of (1 / (1000 * unit * month)) order units, times prices in thousandths. */
function priceCount(of: Rateable, price: Price, monthMs: number, millis: bigint, asOfMs: number): bigint {
  const date = new Date(monthMs);
  const monthEnd = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
  const month = BigInt((monthEnd - monthMs) / SECOND_MS);
  const unitSeconds = { hours: 3600n, days: 86_400n, months: month }[of.product.orderUnit] ?? 0n;
  const unit = unitSeconds * BigInt(of.product.orderSize) * BigInt(of.product.quantityPer);
  let share = 0n;
  for (let at = monthMs; at < monthEnd; at += 3_600_000) {
    // Before the first price there is none to share the month with.
    const force = priceAt(of.prices, at, asOfMs) ?? of.prices[0];
    if (force === price) share += 3600n;
  }
  if (millis === 0n) return 0n;
  const scaled = (text: string) => toMillis(text) * unit * share;
  const { terms } = price;
  const charged = millis * month - scaled(terms.included);
  const cost = charged > 0n ? costOf(terms, charged, scaled, unit * share) : flatOnly(terms, unit * share);
  const least = toMillis(terms.minimum) * MILLI * unit * share;
  const total = cost > least ? cost : least;
  // total is in 1/(1000 * 1000 * unit * month) of a major unit.
  const denominator = MILLI * MILLI * unit * month;
  const micros = total * 1_000_000n;
  return (2n * micros + denominator) / (2n * denominator);
}

const flatOnly = (terms: PriceTerms, whole: bigint) =>
  terms.model === 'flat' ? toMillis(terms.amount) * MILLI * whole : 0n;

function costOf(terms: PriceTerms, charged: bigint, scaled: (text: string) => bigint, whole: bigint): bigint {
  if (terms.model === 'flat') return flatOnly(terms, whole);
  if (terms.model === 'per_unit') return charged * toMillis(terms.unit_price);
  const fee = (flat: string) => toMillis(flat) * MILLI * whole;
  if (terms.model === 'volume') {
    let at = 0;
    while (terms.tiers[at]?.up_to !== null && charged > scaled(terms.tiers[at]?.up_to ?? '0')) at += 1;
    const tier = terms.tiers[at];
    return tier ? charged * toMillis(tier.unit_price) + fee(tier.flat) : 0n;
  }
  let cost = 0n;
  terms.tiers.forEach((tier, at) => {
    const low = at === 0 ? 0n : scaled(terms.tiers[at - 1]?.up_to ?? '0');
    const high = tier.up_to === null ? charged : scaled(tier.up_to);
    if (charged > low) cost += ((charged < high ? charged : high) - low) * toMillis(tier.unit_price) + fee(tier.flat);
  });
  return cost;
}
