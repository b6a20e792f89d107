import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressAt, BITS, contains, lastOf, parseCidr, parseIp, sizeOf } from '../../../shared/cidr.ts';
import { HOST_OFFSET_MAX } from './address-picks.ts';
import { checkedPools, defaultPools } from './pools.ts';
import { isHostOffset } from './port-addresses.ts';

const rangeOf = (text: string) => {
  const cidr = parseCidr(text);
  if (!cidr) throw new Error(`${text} is not a range`);
  return cidr;
};
const anyRange = fc.tuple(fc.constantFrom('10.7.0.0', 'fd00:7::'), fc.nat()).chain(([base]) => {
  const bits = BITS[base.includes(':') ? 6 : 4];
  return fc.integer({ min: 16, max: bits }).map((prefix) => rangeOf(`${base}/${prefix}`));
});

describe('the pools of a subnet that names none', () => {
  it('are all hosts but the gateway, each in one pool, as far as offsets are exact', () => {
    fc.assert(
      fc.property(anyRange, fc.option(fc.maxSafeNat()), (cidr, near) => {
        const size = sizeOf(cidr);
        const gateway = near === null ? null : addressAt(cidr, BigInt(near) % size);
        const pools = defaultPools(cidr, gateway);
        const covered = pools.reduce((sum, pool) => sum + BigInt(pool.last) - BigInt(pool.first) + 1n, 0n);
        const excluded = cidr.version === 4 ? (cidr.prefix <= 30 ? 2n : 0n) : size === 1n ? 0n : 1n;
        const last = size - 1n - (cidr.version === 4 && cidr.prefix <= 30 ? 1n : 0n);
        const first = excluded === 0n ? 0n : 1n;
        const cap = last > BigInt(HOST_OFFSET_MAX) ? BigInt(HOST_OFFSET_MAX) : last;
        const gap = near === null ? -1n : BigInt(near) % size;
        expect(covered).toBe(cap - first + 1n - (gap >= first && gap <= cap ? 1n : 0n));
        for (const pool of pools) {
          expect(pool.first).toBeLessThanOrEqual(pool.last);
          expect(pool.last).toBeLessThanOrEqual(HOST_OFFSET_MAX);
          expect([addressAt(cidr, pool.first), addressAt(cidr, pool.last)]).toEqual([pool.start, pool.end]);
          expect(gap >= BigInt(pool.first) && gap <= BigInt(pool.last)).toBe(false);
          for (const edge of [pool.start, pool.end]) {
            const ip = parseIp(edge);
            expect(ip && contains(cidr, ip)).toBe(true);
          }
        }
      }),
    );
  });

  it('are none where the gateway is the only host', () => {
    expect(defaultPools(rangeOf('10.0.0.1/32'), '10.0.0.1')).toEqual([]);
  });
});

describe('the pools that a client names', () => {
  const cidr = rangeOf('10.0.0.0/24');
  const refused = (start: string, end: string, gateway: string | null = null) => {
    try {
      checkedPools(cidr, gateway, [{ start, end }]);
      return null;
    } catch (error) {
      return (error as { type?: string }).type;
    }
  };

  it('are sorted, with their offsets', () => {
    const pools = checkedPools(cidr, '10.0.0.1', [
      { start: '10.0.0.100', end: '10.0.0.110' },
      { start: '10.0.0.2', end: '10.0.0.9' },
    ]);
    expect(pools).toEqual([
      { start: '10.0.0.2', end: '10.0.0.9', first: 2, last: 9 },
      { start: '10.0.0.100', end: '10.0.0.110', first: 100, last: 110 },
    ]);
  });

  it('are refused backwards, outside, or of the other IP version', () => {
    expect(refused('10.0.0.9', '10.0.0.2')).toBe('InvalidAllocationPool');
    expect(refused('fd00::1', 'fd00::2')).toBe('InvalidAllocationPool');
    expect(refused('10.0.0.0', '10.0.0.2')).toBe('OutOfBoundsAllocationPool');
    expect(refused('10.0.0.5', '10.0.0.255')).toBe('OutOfBoundsAllocationPool');
    expect(refused('10.0.0.5', '10.0.0.9', '10.0.0.7')).toBe('GatewayConflictWithAllocationPools');
    expect(refused('10.0.0.5', '10.0.0.9', '10.0.0.4')).toBeNull();
  });
});

describe('isHostOffset', () => {
  it('leaves out what cannot be a host', () => {
    const allowed = (text: string, offset: bigint) => isHostOffset(rangeOf(text), offset);
    expect([0n, 1n, 254n, 255n].map((offset) => allowed('10.0.0.0/24', offset))).toEqual([false, true, true, false]);
    expect([0n, 1n].map((offset) => allowed('10.0.0.0/31', offset))).toEqual([true, true]);
    expect([0n, 1n, 2n ** 53n - 1n, 2n ** 53n].map((offset) => allowed('fd00::/64', offset))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(allowed('10.0.0.0/8', lastOf(rangeOf('10.0.0.0/8')) - rangeOf('10.0.0.0/8').base)).toBe(false);
  });
});
