import { ceilHour, intervalEnd, intervalStart } from './calendar.ts';
import type { Rateable } from './rateable.ts';

/**
 * The moments at which a subscription is rated. They follow from it alone and not from when the farmer comes, so that a
 * farmer who is a week late writes the rows that it would have written in time.
 * - pay as you go: the end of each interval, the subscription's own, and where it is not there for a while
 * - prepaid: the start of each interval, and whatever changes what was paid for: spans, prices, the end
 */
export function visitPoints(of: Rateable, untilMs: number, countMax: number): number[] {
  const { product, subscription } = of;
  const end = endMoment(of) ?? Number.POSITIVE_INFINITY;
  const until = Math.min(untilMs, end);
  const points = new Set<number>();
  // What is prepaid begins at its first moment; the rest has nothing to say then.
  const after = subscription.visitedMs;
  let at = intervalEnd(product.interval, after);
  for (; at <= until && points.size <= countMax; at = intervalEnd(product.interval, at)) points.add(at);
  const reached = points.size > countMax ? intervalStart(product.interval, at - 1) : until;
  if (end <= reached) points.add(end);
  for (const moment of product.prepaid ? changes(of) : gaps(of)) points.add(moment);
  return [...points]
    .filter((moment) => moment > after && moment <= reached)
    .sort((a, b) => a - b)
    .slice(0, countMax);
}

/** When a subscription is over; volumes are, with the hour's window that it ends in. */
export function endMoment({ product, subscription }: Rateable): number | null {
  const { endMs } = subscription;
  return endMs === null || product.kind === 'time' ? endMs : ceilHour(endMs);
}

/** The first moment after the last visit that is one to come, as far as is known. */
export function nextPoint(of: Rateable, afterMs: number): number | null {
  const end = endMoment(of);
  if (end !== null && end <= afterMs) return null;
  const coming = [intervalEnd(of.product.interval, afterMs), ...(end === null ? [] : [end])];
  coming.push(...(of.product.prepaid ? changes(of) : gaps(of)).filter((moment) => moment > afterMs));
  return Math.min(...coming);
}

/** Ends of spans after which there was none for a while: each was the subscription's own end until it came back. */
function gaps({ product, spans }: Rateable): number[] {
  if (product.kind === 'volume') return [];
  const starts = new Set(spans.map(({ startMs }) => startMs));
  return spans.flatMap(({ endMs }) => (endMs === null || starts.has(endMs) ? [] : [endMs]));
}

function changes({ spans, prices, subscription }: Rateable): number[] {
  const moments = [
    subscription.startMs,
    ...spans.flatMap(({ startMs, endMs }) => (endMs === null ? [startMs] : [startMs, endMs])),
    ...prices.map((price) => price.effectiveFromMs),
  ];
  return moments.filter((moment) => moment >= subscription.startMs);
}
