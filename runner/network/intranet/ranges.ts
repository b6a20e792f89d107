import { type Cidr, formatIp, type IpVersion, lastOf, parseCidr } from '../../../shared/cidr.ts';

/** Addresses from one to another, both included. */
export interface Range {
  version: IpVersion;
  first: bigint;
  last: bigint;
}

const rangeOfCidr = (cidr: Cidr): Range => ({ version: cidr.version, first: cidr.base, last: lastOf(cidr) });

/** @throws when the text is none */
export function rangeOf(text: string): Range {
  const cidr = parseCidr(text);
  if (!cidr) throw new Error(`not a range of addresses: ${text}`);
  return rangeOfCidr(cidr);
}

export const covers = (outer: Range, inner: Range): boolean =>
  outer.version === inner.version && outer.first <= inner.first && inner.last <= outer.last;

/** The same addresses in ranges that neither touch nor overlap, in order: nft refuses overlaps. */
export function joined(ranges: readonly Range[]): Range[] {
  const sorted = [...ranges].sort((a, b) => a.version - b.version || order(a.first, b.first));
  const result: Range[] = [];
  for (const range of sorted) {
    const before = result.at(-1);
    if (before?.version === range.version && range.first <= before.last + 1n) {
      if (range.last > before.last) before.last = range.last;
    } else result.push({ ...range });
  }
  return result;
}

/** The addresses of some ranges that are in none of others. */
export function without(ranges: readonly Range[], cut: readonly Range[]): Range[] {
  const gaps = joined(cut);
  return joined(ranges).flatMap((range) => {
    const kept: Range[] = [];
    let { first } = range;
    for (const gap of gaps) {
      if (gap.version !== range.version || gap.last < first || gap.first > range.last) continue;
      if (gap.first > first) kept.push({ ...range, first, last: gap.first - 1n });
      first = gap.last + 1n;
    }
    return first > range.last ? kept : [...kept, { ...range, first }];
  });
}

/** A range as nft writes it. */
export function rangeText({ version, first, last }: Range): string {
  const text = (value: bigint) => formatIp({ version, value });
  return first === last ? text(first) : `${text(first)}-${text(last)}`;
}

const order = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
