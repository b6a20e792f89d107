import fc from 'fast-check';
import { type PriceTerms, priceTerms } from '../../worker/billing/rating/price-terms.ts';
import type { Price, Rateable, Span } from '../../worker/billing/rating/rateable.ts';

/** Random lives of resources, prices and visits, to the second, around the end of a month. */

const HOUR_S = 3600;
const at = (iso: string) => Date.parse(iso);
/** Where lives begin: some hours before a month's end, so that they cross it. */
const ORIGINS = [at('2026-01-31T18:00:00Z'), at('2026-02-28T20:30:00Z'), at('2028-02-28T23:00:00Z')];

const milli = (max: number) => fc.integer({ min: 0, max }).map((n) => (n / 1000).toFixed(3));
const tiers = fc.array(fc.tuple(milli(3000), milli(900), milli(400)), { minLength: 0, maxLength: 3 }).chain((list) =>
  fc.tuple(milli(900), milli(400)).map(([last, flat]) => {
    const bounds = [...new Set(list.map(([bound]) => bound))]
      .filter((one) => one !== '0.000')
      .sort((a, b) => Number(a) - Number(b));
    return [
      ...bounds.map((up_to, index) => ({ up_to, unit_price: list[index]?.[1] ?? '0', flat: list[index]?.[2] ?? '0' })),
      { up_to: null, unit_price: last, flat },
    ];
  }),
);

const model = fc.oneof(
  fc.record({ model: fc.constant('flat' as const), amount: milli(5000) }),
  fc.record({ model: fc.constant('per_unit' as const), unit_price: milli(9000) }),
  fc.record({ model: fc.constant('volume' as const), tiers }),
  fc.record({ model: fc.constant('graduated' as const), tiers }),
);
export const someTerms: fc.Arbitrary<PriceTerms> = fc
  .tuple(model, milli(2000), milli(500), milli(1000))
  .map(([of, included, minimum, stopped]) =>
    priceTerms.parse({ ...of, included, minimum, weights: { stopped, shelved: '0' } }),
  );

const somePrices = (originMs: number): fc.Arbitrary<Price[]> =>
  fc
    .tuple(someTerms, fc.array(fc.tuple(fc.integer({ min: 1, max: 14 }), someTerms), { maxLength: 2 }))
    .map(([first, later]) => {
      const base = Math.floor(originMs / 3_600_000) * 3_600_000;
      const hours = new Map(later);
      return [
        { id: 'p0', effectiveFromMs: base - 40 * 24 * 3_600_000, terms: first },
        ...[...hours]
          .sort(([a], [b]) => a - b)
          .map(([hour, terms], n) => ({ id: `p${n + 1}`, effectiveFromMs: base + hour * 3_600_000, terms })),
      ];
    });

/** For a while it is something else, as after a resize there and back: no span of it is there. */
const ELSEWHERE = 'elsewhere';

const segment = fc.record({
  seconds: fc.integer({ min: 1, max: 3 * HOUR_S }),
  state: fc.constantFrom('active', 'active', 'stopped', 'shelved', 'suspended', ELSEWHERE),
  quantity: fc.constantFrom(1, 1, 1, 3),
});

const product = fc.record({
  id: fc.constant('product'),
  item: fc.constant('server'),
  kind: fc.constant('time' as const),
  orderUnit: fc.constantFrom('hours', 'days', 'months'),
  orderSize: fc.constantFrom(1, 1, 2),
  quantityPer: fc.constantFrom(1, 1, 3),
  interval: fc.constantFrom('hourly' as const, 'daily' as const, 'monthly' as const),
  prepaid: fc.boolean(),
  currency: fc.constant('EUR'),
});

/** A resource's whole life, with what it costs; never visited yet. */
export const someLife: fc.Arbitrary<Rateable> = fc
  .tuple(fc.constantFrom(...ORIGINS), fc.integer({ min: 0, max: 2 * HOUR_S }))
  .chain(([origin, offset]) =>
    fc
      .tuple(fc.array(segment, { minLength: 1, maxLength: 8 }), fc.boolean(), product, somePrices(origin))
      .map(([segments, ends, of, prices]) => {
        const startMs = origin + offset * 1000;
        const spans = tile(startMs, segments, ends);
        const endMs = spans.at(-1)?.endMs ?? null;
        const fresh = { startMs, endMs, visitedMs: startMs - 1, chargedThroughMs: startMs, dirtyFromMs: null };
        return { product: of, prices, subscription: fresh, spans, windows: [], booked: [] };
      }),
  );

function tile(
  startMs: number,
  segments: { seconds: number; state: string; quantity: number }[],
  ends: boolean,
): Span[] {
  let at = startMs;
  const spans = segments.map(({ seconds, state, quantity }, index) => {
    const from = at;
    at += seconds * 1000;
    return { startMs: from, endMs: index === segments.length - 1 && !ends ? null : at, state, quantity };
  });
  return spans.filter(({ state }, index) => index === 0 || state !== ELSEWHERE);
}

/** When the farmer comes, in seconds after the life's begin; the last is late enough for all. */
export const someVisits = fc
  .array(fc.integer({ min: 1, max: 30 * HOUR_S }), { maxLength: 12 })
  .map((seconds) => [...seconds.sort((a, b) => a - b), 31 * HOUR_S]);
