import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rational } from '../../../shared/money.ts';
import type { PlannedPurchase } from '../rating/plan-visits.ts';
import { splitRefunds } from './split-refunds.ts';

const purchase = (amountMicros: number, amountTotalMicros: number, revision: number): PlannedPurchase => ({
  ...{ priceId: 'p', periodMs: 0, revision, fromMs: 0, throughMs: 1, asOfMs: 1 },
  ...{ quantity: rational(1n), quantityTotal: rational(1n), amountMicros, amountTotalMicros },
});
const of = (micros: number, accountId: string) => ({ priceId: 'p', periodMs: 0, accountId, micros });

it('gives back to who paid last, and then to who paid before', () => {
  const parts = splitRefunds([purchase(-890, 110, 3)], [of(600, 'a'), of(400, 'b')], 'b');
  expect(
    parts.map(({ accountId, amountMicros, amountTotalMicros, revision }) => [
      accountId,
      amountMicros,
      amountTotalMicros,
      revision,
    ]),
  ).toEqual([
    ['b', -400, 600, 3],
    ['a', -490, 110, 4],
  ]);
  expect(parts.map(({ quantity }) => quantity.n)).toEqual([1n, 0n]);
});

it('knows in one batch what is charged and given back before', () => {
  const list = [purchase(-400, 800, 2), purchase(100, 900, 3), purchase(-500, 400, 4)];
  const parts = splitRefunds(list, [of(1200, 'a')], 'b');
  expect(parts.map(({ accountId, amountMicros, revision }) => [accountId, amountMicros, revision])).toEqual([
    ['a', -400, 2],
    ['b', 100, 3],
    ['b', -100, 4],
    ['a', -400, 5],
  ]);
});

it('sums to what was planned, and leaves nobody with less than nothing', () => {
  const payers = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat({ max: 1000 })), { maxLength: 4 });
  fc.assert(
    fc.property(payers, fc.array(fc.nat({ max: 2000 }), { minLength: 1, maxLength: 8 }), (before, totals) => {
      const start = before.map(([accountId, micros]) => of(micros, accountId));
      let last = start.reduce((sum, { micros }) => sum + micros, 0);
      const planned = totals.map((total, at) => {
        const one = purchase(total - last, total, at + 2);
        last = total;
        return one;
      });
      const split = splitRefunds(planned, start, 'b');
      expect(split.reduce((sum, { amountMicros }) => sum + amountMicros, 0)).toBe(
        planned.reduce((sum, { amountMicros }) => sum + amountMicros, 0),
      );
      expect(split.map(({ revision }) => revision)).toEqual(split.map((_, at) => at + 2));
      expect(split.at(-1)?.amountTotalMicros).toBe(last);
      const nets = new Map<string, number>();
      for (const { accountId, micros } of start) nets.set(accountId, (nets.get(accountId) ?? 0) + micros);
      for (const { accountId, amountMicros } of split) {
        nets.set(accountId, (nets.get(accountId) ?? 0) + amountMicros);
        expect(nets.get(accountId)).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});
