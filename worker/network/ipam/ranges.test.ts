import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCidr, parseCidr } from '../../../shared/cidr.ts';
import { asCidrs, meet, merged, rangeOf, without } from './ranges.ts';

const ranges = (cidrs: string[]) =>
  cidrs.map((text) => {
    const cidr = parseCidr(text);
    if (!cidr) throw new Error(text);
    return rangeOf(cidr);
  });
const cidrs = (version: 4 | 6, of: ReturnType<typeof ranges>) => asCidrs(version, of).map(formatCidr);

/** A set of small numbers, and the ranges that make it. */
const sets = fc.array(fc.tuple(fc.nat(60), fc.nat(12)), { maxLength: 8 }).map((pairs) => ({
  ranges: pairs.map(([first, length]) => ({ first: BigInt(first), last: BigInt(first + length) })),
  numbers: new Set(pairs.flatMap(([first, length]) => Array.from({ length: length + 1 }, (_, at) => first + at))),
}));
const numbersOf = (of: ReturnType<typeof merged>) =>
  of.flatMap(({ first, last }) => Array.from({ length: Number(last - first) + 1 }, (_, at) => Number(first) + at));

describe('ranges', () => {
  it('are the fewest prefixes', () => {
    expect(cidrs(4, ranges(['10.0.0.0/25', '10.0.0.128/25']))).toEqual(['10.0.0.0/24']);
    expect(cidrs(4, ranges(['10.0.1.0/24', '10.0.2.0/24']))).toEqual(['10.0.1.0/24', '10.0.2.0/24']);
    expect(cidrs(4, without(ranges(['10.0.0.0/22']), ranges(['10.0.1.0/24'])))).toEqual(['10.0.0.0/24', '10.0.2.0/23']);
    expect(cidrs(6, without(ranges(['2001:db8::/48']), ranges(['2001:db8::/49'])))).toEqual(['2001:db8:0:8000::/49']);
    expect(cidrs(6, ranges(['::/0']))).toEqual(['::/0']);
  });

  it('are as sets of numbers are', () => {
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        expect(numbersOf(merged(a.ranges))).toEqual([...a.numbers].sort((x, y) => x - y));
        expect(numbersOf(without(a.ranges, b.ranges))).toEqual(
          [...a.numbers].filter((one) => !b.numbers.has(one)).sort((x, y) => x - y),
        );
        expect(meet(a.ranges, b.ranges)).toBe([...a.numbers].some((one) => b.numbers.has(one)));
        const back = asCidrs(4, a.ranges).map(rangeOf);
        expect(merged(back)).toEqual(merged(a.ranges));
      }),
    );
  });
});
