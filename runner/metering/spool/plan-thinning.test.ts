import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planExpiry, planThinning, type Row } from './plan-thinning.ts';

const rows = (...times: number[]): Row[] => times.map((atMs, index) => ({ n: index + 1, atMs }));
const every10s = (count: number) => rows(...Array.from({ length: count }, (_, at) => at * 10_000));

describe('thinning', () => {
  it('leaves the first moment of each time, and the last of all', () => {
    expect(planThinning(every10s(15), 60_000)).toEqual([
      { gone: [2, 3, 4, 5, 6], into: [7] },
      { gone: [8, 9, 10, 11, 12], into: [13] },
      { gone: [14], into: [15] },
    ]);
  });

  it('leaves the bounds of hours as long as there is anything between them', () => {
    const hours = every10s(721).map((row) => ({ ...row, atMs: row.atMs + 3_600_000 }));
    const gone = new Set(planThinning(hours, 3_600_000).flatMap((merge) => merge.gone));
    expect(hours.filter((row) => !gone.has(row.n)).map((row) => row.atMs)).toEqual([3_600_000, 7_200_000, 10_800_000]);
  });

  it('keeps rows of one moment together', () => {
    expect(planThinning(rows(0, 0, 10_000, 10_000, 60_000, 60_000, 70_000), 60_000)).toEqual([
      { gone: [3, 4], into: [5, 6] },
    ]);
  });

  it('leaves at last the first and the last, which stay whatever is asked', () => {
    const merges = planThinning(every10s(100), Number.POSITIVE_INFINITY);
    expect(merges).toEqual([{ gone: Array.from({ length: 98 }, (_, at) => at + 2), into: [100] }]);
    expect(planThinning(every10s(1), 60_000)).toEqual([]);
    expect(planThinning([], 60_000)).toEqual([]);
  });

  it('leaves first and last, and lets everything that goes end in something later, whatever the times', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 500_000 }), { maxLength: 60 }),
        fc.constantFrom(60_000, 600_000, Number.POSITIVE_INFINITY),
        (times, everyMs) => {
          const all = rows(...times);
          const merges = planThinning(all, everyMs);
          const gone = merges.flatMap((merge) => merge.gone);
          expect(new Set(gone).size).toBe(gone.length);
          expect(gone).not.toContain(1);
          expect(gone).not.toContain(all.length);
          for (const merge of merges) {
            expect(Math.min(...merge.into)).toBeGreaterThan(Math.max(...merge.gone));
            for (const n of merge.into) expect(gone).not.toContain(n);
          }
        },
      ),
    );
  });
});

describe('what is too old', () => {
  it('ends in the first moment that is not', () => {
    expect(planExpiry(rows(0, 10, 20, 30), 20)).toEqual([{ gone: [1, 2], into: [3] }]);
  });
  it('ends in the newest where all is too old', () => {
    expect(planExpiry(rows(0, 10, 20), 1_000)).toEqual([{ gone: [1, 2], into: [3] }]);
  });
});
