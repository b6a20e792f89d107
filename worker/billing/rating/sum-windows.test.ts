import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sumBetween } from './sum-windows.ts';

const windows = fc.uniqueArray(fc.record({ startMs: fc.integer({ min: 0, max: 50 }), value: fc.maxSafeNat() }), {
  selector: ({ startMs }) => startMs,
});

it('sums of windows are what they amount to one by one, in whatever order they came', () => {
  const moment = fc.integer({ min: -5, max: 60 });
  fc.assert(
    fc.property(windows, fc.array(fc.tuple(moment, moment)), (list, asked) => {
      for (const [from, to] of asked) {
        const between = list.filter(({ startMs }) => startMs >= from && startMs < to);
        expect(sumBetween(list, from, to)).toBe(between.reduce((sum, { value }) => sum + BigInt(value), 0n));
      }
    }),
  );
});
