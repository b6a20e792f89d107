import { type Rational, storedMicros, subtract, ZERO } from '../../../shared/money.ts';
import { monthsOf } from './calendar.ts';
import { chargedThrough, type LineTotal, pricesOf, rateLine } from './rate-line.ts';
import { type Booked, lineKey, type Price, type Rateable } from './rateable.ts';
import { endMoment, nextPoint, visitPoints } from './visit-points.ts';

/** A change of the last seconds may not be committed yet: nothing later is rated. */
export const SETTLE_MS = 5_000;
/** How soon is asked again whether machines have sealed what is due. */
export const DEFERRED_MS = 10 * 60_000;

/** What one visit books of a line. */
export interface PlannedPurchase {
  priceId: string;
  periodMs: number;
  revision: number;
  fromMs: number;
  throughMs: number;
  asOfMs: number;
  quantity: Rational;
  quantityTotal: Rational;
  amountMicros: number;
  amountTotalMicros: number;
}

/** What is to be written of a subscription: all of it, or nothing. */
export interface VisitPlan {
  purchases: PlannedPurchase[];
  visitedMs: number;
  chargedThroughMs: number;
  /** When it must be looked at again; null: when something happens. */
  dueMs: number | null;
}

/** What is known of the time: now, and through when the meters' windows are sealed on all machines that count. */
export interface Known {
  nowMs: number;
  sealedThroughMs: number;
}

/**
 * What a subscription is to be charged by now: at each moment that is due, for each of its lines, the difference between
 * what the line comes to and what is booked of it. Doing it twice books nothing more.
 * @param visitsMax - moments that are planned at once; the rest is due immediately
 */
export function planVisits(of: Rateable, known: Known, visitsMax: number): VisitPlan {
  const { subscription, product } = of;
  const settled = known.nowMs - SETTLE_MS;
  const until = product.kind === 'time' ? settled : Math.min(settled, known.sealedThroughMs);
  const points = visitPoints(of, until, visitsMax);
  const lines = new Map(of.booked.map((line) => [lineKey(line), line]));
  const purchases: PlannedPurchase[] = [];
  let { visitedMs } = subscription;
  if (subscription.dirtyFromMs !== null && visitedMs >= subscription.startMs) {
    const fromMs = subscription.dirtyFromMs;
    purchases.push(...visit(of, lines, { fromMs, changedMs: fromMs, atMs: visitedMs }));
  }
  for (const atMs of points) {
    purchases.push(...visit(of, lines, { fromMs: visitedMs, changedMs: atMs, atMs }));
    visitedMs = atMs;
  }
  const visited = visitedMs >= subscription.startMs;
  return {
    purchases,
    visitedMs,
    chargedThroughMs: visited ? chargedThrough(of, visitedMs) : subscription.chargedThroughMs,
    dueMs: dueAfter(of, visitedMs, known.nowMs, until),
  };
}

interface Visit {
  /** Lines from here on may come to something else. */
  fromMs: number;
  /** From when usage has changed, where the time that is charged has not. */
  changedMs: number;
  atMs: number;
}

/** What one moment books; `lines` is brought up to date. */
function visit(of: Rateable, lines: Map<string, Booked>, { fromMs, changedMs, atMs }: Visit): PlannedPurchase[] {
  const from = Math.max(fromMs, of.subscription.startMs);
  const booked: PlannedPurchase[] = [];
  for (const periodMs of monthsOf(from, Math.max(chargedThrough(of, atMs), from + 1))) {
    for (const price of pricesOf(of, periodMs, atMs)) {
      const key = lineKey({ priceId: price.id, periodMs });
      const line = { price, periodMs, changedMs, atMs };
      const purchase = difference(rateLine(of, line, atMs), lines.get(key), line);
      if (!purchase) continue;
      booked.push(purchase);
      lines.set(key, { ...purchase });
    }
  }
  return booked;
}

function difference(
  total: LineTotal,
  before: Booked | undefined,
  of: { price: Price; periodMs: number; changedMs: number; atMs: number },
): PlannedPurchase | null {
  const quantity = subtract(total.quantity, before?.quantityTotal ?? ZERO);
  const amountTotalMicros = storedMicros(total.amountMicros);
  const amountMicros = amountTotalMicros - (before?.amountTotalMicros ?? 0);
  if (quantity.n === 0n && amountMicros === 0) return null;
  return {
    priceId: of.price.id,
    periodMs: of.periodMs,
    revision: (before?.revision ?? 0) + 1,
    ...serviceOf(total, before, of.changedMs),
    asOfMs: of.atMs,
    quantity,
    quantityTotal: total.quantity,
    amountMicros,
    amountTotalMicros,
  };
}

/** The time that a purchase is for: what was added at the line's end, taken from it, or else what was rated again. */
function serviceOf(total: LineTotal, before: Booked | undefined, changedMs: number) {
  const last = before?.throughMs ?? total.fromMs;
  if (last !== total.throughMs)
    return { fromMs: Math.min(last, total.throughMs), throughMs: Math.max(last, total.throughMs) };
  const from = Math.max(total.fromMs, changedMs);
  return { fromMs: from < total.throughMs ? from : total.fromMs, throughMs: total.throughMs };
}

function dueAfter(of: Rateable, visitedMs: number, nowMs: number, untilMs: number): number | null {
  const next = nextPoint(of, visitedMs);
  if (next === null) return null;
  const dueMs = next + SETTLE_MS;
  if (of.product.kind === 'time') return dueMs;
  const end = endMoment(of) ?? Number.POSITIVE_INFINITY;
  // Idle: the next window that is sealed has it looked at again.
  if (!of.windows.some(({ startMs }) => startMs >= visitedMs && startMs < end)) return null;
  // It was due, and some machine has not sealed so far; what is only more than is planned at once stays due.
  return dueMs <= nowMs && next > untilMs ? nowMs + DEFERRED_MS : dueMs;
}
