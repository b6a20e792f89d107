import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressAt,
  BITS,
  contains,
  formatCidr,
  formatIp,
  lastOf,
  offsetOf,
  overlaps,
  parseCidr,
  parseIp,
  sizeOf,
} from './cidr.ts';

const ip = fc
  .constantFrom(4 as const, 6 as const)
  .chain((version) =>
    fc.bigInt({ min: 0n, max: (1n << BigInt(BITS[version])) - 1n }).map((value) => ({ version, value })),
  );
const cidr = ip.chain((address) =>
  fc.integer({ min: 0, max: BITS[address.version] }).map((prefix) => {
    const made = parseCidr(`${formatIp(address)}/${prefix}`);
    if (!made) throw new Error('not a range');
    return made;
  }),
);

describe('parseIp', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::', '::'],
    ['fe80:0:0:0:1:0:0:0', 'fe80::1:0:0:0'],
  ])('takes %s', (text, usual) => {
    const parsed = parseIp(text);
    expect(parsed && formatIp(parsed)).toBe(usual);
  });

  it.each([
    '',
    '10.0.0',
    '10.0.0.256',
    '010.0.0.1',
    '0x0a.0.0.1',
    '10.0.0.1 ',
    '167772161',
    'fe80::1%eth0',
    '::1::',
    'x',
    '1:2',
  ])('refuses %j', (text) => expect(parseIp(text)).toBeNull());

  it('gives back what formatIp wrote', () => {
    fc.assert(
      fc.property(ip, (address) => {
        expect(parseIp(formatIp(address))).toEqual(address);
      }),
    );
  });
});

describe('parseCidr', () => {
  it.each([
    ['10.1.2.3/24', '10.1.2.0/24'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:db8::ffff/64', '2001:db8::/64'],
  ])('makes %s %s', (text, usual) => {
    const parsed = parseCidr(text);
    expect(parsed && formatCidr(parsed)).toBe(usual);
  });

  it.each(['10.0.0.0/33', '::/129', '10.0.0.0/-1', '10.0.0.0/024', '10.0.0.0/', '10.0.0.0/8/8', '/24', '10.0.0.0/a'])(
    'refuses %j',
    (text) => expect(parseCidr(text)).toBeNull(),
  );

  it('gives back what formatCidr wrote', () => {
    fc.assert(
      fc.property(cidr, (range) => {
        expect(parseCidr(formatCidr(range))).toEqual(range);
      }),
    );
  });
});

describe('a range', () => {
  it('holds its own addresses and no others', () => {
    fc.assert(
      fc.property(cidr, ip, (range, address) => {
        const inside =
          address.version === range.version && address.value >= range.base && address.value <= lastOf(range);
        expect(contains(range, address)).toBe(inside);
        if (inside) expect(addressAt(range, offsetOf(range, address))).toBe(formatIp(address));
      }),
    );
  });

  it('holds its first and its last address, and nothing beside them', () => {
    fc.assert(
      fc.property(cidr, (range) => {
        const { version } = range;
        expect(lastOf(range) - range.base + 1n).toBe(sizeOf(range));
        expect(contains(range, { version, value: range.base })).toBe(true);
        expect(contains(range, { version, value: lastOf(range) })).toBe(true);
        expect(contains(range, { version, value: lastOf(range) + 1n })).toBe(false);
        if (range.base > 0n) expect(contains(range, { version, value: range.base - 1n })).toBe(false);
      }),
    );
  });

  it('overlaps another exactly where one holds the first address of the other', () => {
    fc.assert(
      fc.property(cidr, cidr, (a, b) => {
        const meet =
          contains(a, { version: b.version, value: b.base }) || contains(b, { version: a.version, value: a.base });
        expect(overlaps(a, b)).toBe(meet);
        expect(overlaps(b, a)).toBe(meet);
        expect(overlaps(a, a)).toBe(true);
      }),
    );
  });
});
