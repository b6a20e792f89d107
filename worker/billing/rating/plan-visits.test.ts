import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { someLife, someVisits } from '../../../test/billing/lifecycles.ts';
import { billNaively } from '../../../test/billing/naive-biller.ts';
import { intervalEnd } from './calendar.ts';
import { type PlannedPurchase, planVisits, SETTLE_MS } from './plan-visits.ts';
import { priceTerms } from './price-terms.ts';
import { chargedThrough } from './rate-line.ts';
import type { Booked, Rateable } from './rateable.ts';

/** What is known of a life at a moment: what comes later is not written yet. */
function knownAt(of: Rateable, nowMs: number): Rateable {
  const spans = of.spans
    .filter((span) => span.startMs <= nowMs)
    .map((span) => ({ ...span, endMs: span.endMs !== null && span.endMs <= nowMs ? span.endMs : null }));
  // What is not there at the moment has ended, until it comes back.
  const gone = spans.length > 0 && spans.every((span) => span.endMs !== null);
  const ended = of.subscription.endMs !== null && of.subscription.endMs <= nowMs ? of.subscription.endMs : null;
  const endMs = ended ?? (gone ? (spans.at(-1)?.endMs ?? null) : null);
  return { ...of, spans, subscription: { ...of.subscription, endMs } };
}

/** Visits a life at moments, each time as a farmer would that has only what is booked. */
function farm(life: Rateable, moments: number[], visitsMax = 1000) {
  let state = life.subscription;
  const booked = new Map<string, Booked>();
  const purchases: PlannedPurchase[] = [];
  for (const nowMs of moments) {
    const known = knownAt({ ...life, subscription: { ...state, endMs: life.subscription.endMs } }, nowMs);
    const plan = planVisits({ ...known, booked: [...booked.values()] }, { nowMs, sealedThroughMs: nowMs }, visitsMax);
    for (const one of plan.purchases) booked.set(`${one.priceId} ${one.periodMs}`, one);
    purchases.push(...plan.purchases);
    state = { ...state, visitedMs: plan.visitedMs, chargedThroughMs: plan.chargedThroughMs };
  }
  return { purchases, visitedMs: state.visitedMs };
}

const sums = (purchases: PlannedPurchase[]) => {
  const lines = new Map<string, bigint>();
  for (const { priceId, periodMs, amountMicros } of purchases) {
    const key = `${priceId} ${periodMs}`;
    lines.set(key, (lines.get(key) ?? 0n) + BigInt(amountMicros));
  }
  return Object.fromEntries([...lines].filter(([, micros]) => micros !== 0n));
};
const nowAfter = (life: Rateable, seconds: number[]) =>
  seconds.map((after) => life.subscription.startMs + after * 1000 + SETTLE_MS);

describe('what is charged', () => {
  it('is what a biller finds that counts every second, to a millionth', () => {
    fc.assert(
      fc.property(someLife, someVisits, (life, seconds) => {
        const moments = nowAfter(life, seconds);
        const { purchases, visitedMs } = farm(life, moments);
        const known = knownAt(life, visitedMs);
        const naive = billNaively(known, chargedThrough(known, visitedMs), visitedMs);
        const expected = naive.filter(({ micros }) => micros !== 0n);
        expect(sums(purchases)).toEqual(
          Object.fromEntries(expected.map(({ priceId, periodMs, micros }) => [`${priceId} ${periodMs}`, micros])),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('is the same rows whenever the farmer comes, however much it takes at once', () => {
    fc.assert(
      fc.property(someLife, someVisits, fc.integer({ min: 1, max: 5 }), (life, seconds, visitsMax) => {
        const moments = nowAfter(life, seconds);
        const last = moments.at(-1) ?? 0;
        const late = farm(life, [last]);
        expect(farm(life, moments)).toEqual(late);
        const slices = Array.from({ length: 200 }, () => last);
        expect(farm(life, slices, visitsMax)).toEqual(late);
      }),
      { numRuns: 150 },
    );
  });

  it('tiles the life: each second is in one purchase of what is paid afterwards', () => {
    fc.assert(
      fc.property(someLife, someVisits, (life, seconds) => {
        fc.pre(!life.product.prepaid && life.spans.every(({ state }) => state !== 'shelved'));
        fc.pre(
          life.spans.every(({ endMs }, at) => at === life.spans.length - 1 || endMs === life.spans[at + 1]?.startMs),
        );
        fc.pre(life.prices.every(({ terms }) => terms.weights.stopped !== '0.000'));
        const { purchases, visitedMs } = farm(life, nowAfter(life, seconds));
        let at = life.subscription.startMs;
        for (const one of purchases) {
          expect(one.fromMs).toBe(at);
          at = one.throughMs;
        }
        if (purchases.length > 0) expect(at).toBe(visitedMs);
      }),
      { numRuns: 100 },
    );
  });

  it('of what comes late is a difference of its own', () => {
    fc.assert(
      fc.property(someLife, someVisits, fc.nat(), (life, seconds, which) => {
        const moments = nowAfter(life, seconds);
        const missing = which % life.spans.length;
        const without = { ...life, spans: life.spans.filter((_, at) => at !== missing) };
        const before = farm(without, moments);
        const booked = new Map<string, Booked>();
        for (const one of before.purchases) booked.set(`${one.priceId} ${one.periodMs}`, one);
        const dirtyFromMs = life.spans[missing]?.startMs ?? 0;
        const subscription = { ...life.subscription, visitedMs: before.visitedMs, dirtyFromMs };
        // At the end of an interval all farmers have been, whatever they knew before.
        const nowMs = intervalEnd(life.product.interval, moments.at(-1) ?? 0) + SETTLE_MS;
        const late = planVisits(
          { ...life, subscription, booked: [...booked.values()] },
          { nowMs, sealedThroughMs: nowMs },
          1000,
        );
        expect(sums([...before.purchases, ...late.purchases])).toEqual(sums(farm(life, [...moments, nowMs]).purchases));
      }),
      { numRuns: 100 },
    );
  });

  it('of what is metered is due at once while there is more, and soon where a machine is waited for', () => {
    const hour = 3_600_000;
    const startMs = Date.UTC(2026, 0, 10);
    const life: Rateable = {
      product: {
        ...{ id: 'p', item: 'floating_ip.egress.bytes', kind: 'volume', orderUnit: 'GB', orderSize: 1, quantityPer: 1 },
        ...{ interval: 'hourly', prepaid: false, currency: 'EUR' },
      },
      prices: [{ id: 'p0', effectiveFromMs: startMs, terms: priceTerms.parse({ model: 'per_unit', unit_price: '1' }) }],
      subscription: { startMs, endMs: null, visitedMs: startMs - 1, chargedThroughMs: startMs, dirtyFromMs: null },
      spans: [],
      windows: Array.from({ length: 10 }, (_, n) => ({ startMs: startMs + n * hour, value: 10 ** 9 })),
      booked: [],
    };
    const nowMs = startMs + 20 * hour;
    const due = (sealedHours: number, visitsMax: number) => {
      const plan = planVisits(life, { nowMs, sealedThroughMs: startMs + sealedHours * hour }, visitsMax);
      return [plan.purchases.length, plan.dueMs === null ? null : plan.dueMs > nowMs];
    };
    // The first moment is the begin, when there is nothing of it.
    expect(due(10, 4)).toEqual([3, false]);
    expect(due(4, 100)).toEqual([4, true]);
    expect(due(10, 100)).toEqual([10, null]);
  });
});
