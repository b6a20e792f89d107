/** A token bucket, as nft's `limit` takes it. */
export interface Rate {
  bytesPerSecond: number;
  /** What the bucket holds beyond one second of the rate, which it always holds. */
  burstBytes: number;
}

const BYTES_PER_KBIT = 125;
/** Neutron's burst of a rule that names none, as a share of the rate. */
const DEFAULT_BURST = 0.8;
/** Guests and machines hand on many segments of a flow as one packet: a bucket smaller than that would never let it pass. */
const SUPER_PACKET_BYTES = 65_536;
/** Faster than any guest is; the kernel counts in 64 bits, and refuses what does not fit. */
const FASTEST_KBPS = 100_000_000;
const BURST_BYTES_MAX = 0xffff_ffff;

/**
 * The rate of a bandwidth limit: kilobits are 1,000 bits.
 * @param burst_kbits - null: as much as suits the rate
 * @returns null where there is no limit
 */
export function rateOf(kbps: number | null, burst_kbits: number | null): Rate | null {
  if (kbps === null || kbps > FASTEST_KBPS) return null;
  const bytesPerSecond = kbps * BYTES_PER_KBIT;
  const wanted = burst_kbits ? burst_kbits * BYTES_PER_KBIT : bytesPerSecond * DEFAULT_BURST;
  const beyond = Math.max(wanted, SUPER_PACKET_BYTES) - bytesPerSecond;
  return { bytesPerSecond, burstBytes: Math.min(Math.max(beyond, 0), BURST_BYTES_MAX) };
}
