import { describe, expect, it } from 'vitest';
import { rateOf } from './rate.ts';

/** What the bucket holds: a second of the rate and what is beyond it. */
const bucket = (kbps: number, burst: number | null) => {
  const rate = rateOf(kbps, burst);
  return rate && rate.bytesPerSecond + rate.burstBytes;
};

describe('a rate', () => {
  it('is of kilobits of 1,000 bits', () => {
    expect(rateOf(2_000, null)).toEqual({ bytesPerSecond: 250_000, burstBytes: 0 });
  });

  it('has the burst of its rule, where that is more than the second that a bucket always holds', () => {
    expect(bucket(2_000, 8_000)).toBe(1_000_000);
    expect(bucket(2_000, 1)).toBe(250_000);
    expect(bucket(2_000, 0)).toBe(bucket(2_000, null));
  });

  it('lets a packet of many segments pass, however slow it is', () => {
    expect(bucket(1, null)).toBe(65_536);
    expect(bucket(1, 8)).toBe(65_536);
  });

  it('is no limit where there is none, or where it is faster than the kernel counts', () => {
    expect(rateOf(null, null)).toBe(null);
    expect(rateOf(2 ** 31 - 1, 2 ** 31 - 1)).toBe(null);
    expect(rateOf(100_000_000, 2 ** 31 - 1)).toEqual({ bytesPerSecond: 12_500_000_000, burstBytes: 2 ** 32 - 1 });
  });
});
