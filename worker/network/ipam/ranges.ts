import { BITS, type Cidr, type IpVersion, lastOf } from '../../../shared/cidr.ts';

/** Addresses from the first to the last, both included. */
export interface Range {
  first: bigint;
  last: bigint;
}

export const rangeOf = (cidr: Cidr): Range => ({ first: cidr.base, last: lastOf(cidr) });

/** The same addresses in order, as few ranges as can be: what meets or overlaps is one. */
export function merged(ranges: Range[]): Range[] {
  const result: Range[] = [];
  for (const range of ranges.toSorted((a, b) => compare(a.first, b.first))) {
    const before = result.at(-1);
    if (!before || range.first > before.last + 1n) result.push({ ...range });
    else if (range.last > before.last) before.last = range.last;
  }
  return result;
}

/** What is left of ranges without others. */
export function without(ranges: Range[], gone: Range[]): Range[] {
  let left = merged(ranges);
  for (const hole of merged(gone)) {
    left = left.flatMap((range) => {
      if (hole.last < range.first || hole.first > range.last) return [range];
      const sides = [
        { first: range.first, last: hole.first - 1n },
        { first: hole.last + 1n, last: range.last },
      ];
      return sides.filter(({ first, last }) => first <= last);
    });
  }
  return left;
}

/** Whether any address is in both. */
export const meet = (a: Range[], b: Range[]): boolean =>
  a.some((one) => b.some((other) => one.first <= other.last && other.first <= one.last));

/** Ranges as the fewest prefixes, in order. */
export function asCidrs(version: IpVersion, ranges: Range[]): Cidr[] {
  return merged(ranges).flatMap(({ first, last }) => {
    const cidrs: Cidr[] = [];
    for (let base = first; base <= last; ) {
      let hostBits = 0n;
      while (hostBits < BigInt(BITS[version]) && fits(base, hostBits + 1n, last)) hostBits += 1n;
      cidrs.push({ version, base, prefix: BITS[version] - Number(hostBits) });
      base += 1n << hostBits;
    }
    return cidrs;
  });
}

const fits = (base: bigint, hostBits: bigint, last: bigint): boolean =>
  base % (1n << hostBits) === 0n && base + (1n << hostBits) - 1n <= last;

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
