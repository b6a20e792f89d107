/** Where picks of addresses and MACs get their chance; a simulation passes its own. */
export interface Random {
  /** A whole number from 0 up to, not including, `limit` (at most 2^53). */
  below(limit: number): number;
}

const TWO_TO_32 = 2 ** 32;
const TWO_TO_21 = 2 ** 21;

/** Chance from the platform's generator. */
export const cryptoRandom: Random = {
  below(limit) {
    const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
    return ((high % TWO_TO_21) * TWO_TO_32 + low) % limit;
  },
};

/** The range that Neutron takes its MAC addresses from. */
const MAC_PREFIX = 'fa:16:3e';

/** A MAC address of the usual range; the schema refuses one that is in use. */
export function randomMac(random: Random): string {
  const byte = () => random.below(256).toString(16).padStart(2, '0');
  return [MAC_PREFIX, byte(), byte(), byte()].join(':');
}
