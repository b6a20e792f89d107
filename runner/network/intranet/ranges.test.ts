import { expect, it } from 'vitest';
import { joined, rangeOf, rangeText, without } from './ranges.ts';

const texts = (...ranges: string[]) => ranges.map(rangeOf);

it('joins what touches or overlaps, each version by itself', () => {
  const ranges = texts('10.1.0.0/16', '10.0.0.0/16', '10.0.3.0/24', 'fd00::/9', 'fd80::/9', '10.3.0.0/16');
  expect(joined(ranges).map(rangeText)).toEqual([
    '10.0.0.0-10.1.255.255',
    '10.3.0.0-10.3.255.255',
    'fd00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  ]);
});

it('cuts out what is in the middle, at the ends, and all of it', () => {
  const cut = (from: string, ...out: string[]) => without(texts(from), texts(...out)).map(rangeText);
  expect(cut('10.0.0.0/30', '10.0.0.1/32')).toEqual(['10.0.0.0', '10.0.0.2-10.0.0.3']);
  expect(cut('10.0.0.0/30', '10.0.0.0/32', '10.0.0.3/32')).toEqual(['10.0.0.1-10.0.0.2']);
  expect(cut('10.0.0.0/30', '10.0.0.0/8')).toEqual([]);
  expect(cut('10.0.0.0/30', '11.0.0.0/8', '::/0')).toEqual(['10.0.0.0-10.0.0.3']);
});
