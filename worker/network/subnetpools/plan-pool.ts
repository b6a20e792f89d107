import { BITS, formatCidr, type IpVersion } from '../../../shared/cidr.ts';
import { badRequest } from '../../http/errors.ts';
import { asCidrs, rangeOf } from '../ipam/ranges.ts';
import { parsed } from '../subnets/plan-subnet.ts';

/** What of a pool can be wrong with respect to the rest of it; undefined: as is usual. */
export interface PoolShape {
  prefixes: string[];
  minPrefixlen: number | undefined;
  maxPrefixlen: number | undefined;
  defaultPrefixlen: number | undefined;
}

export interface PoolPlan {
  ipVersion: IpVersion;
  prefixes: string[];
  minPrefixlen: number;
  maxPrefixlen: number;
  defaultPrefixlen: number;
}

/** The largest range that a pool hands out where nobody says. */
const MIN_PREFIX = { 4: 8, 6: 64 } as const;

/** A pool with its usual lengths, its prefixes as few as can be. @throws ApiError 400 for what does not fit together */
export function planPool(shape: PoolShape): PoolPlan {
  const cidrs = shape.prefixes.map(parsed);
  const [first] = cidrs;
  if (!first) throw badRequest('Empty subnet pool prefix list.', 'EmptySubnetPoolPrefixList');
  const { version } = first;
  if (cidrs.some((cidr) => cidr.version !== version)) {
    throw badRequest('Cannot mix IPv4 and IPv6 prefixes in a subnet pool.', 'PrefixVersionMismatch');
  }
  const minPrefixlen = shape.minPrefixlen ?? MIN_PREFIX[version];
  const maxPrefixlen = shape.maxPrefixlen ?? BITS[version];
  const defaultPrefixlen = shape.defaultPrefixlen ?? minPrefixlen;
  refuseAbove(['min_prefixlen', minPrefixlen], ['max_prefixlen', maxPrefixlen]);
  refuseAbove(['max_prefixlen', maxPrefixlen], ['ip_version_max', BITS[version]]);
  if (defaultPrefixlen < minPrefixlen)
    throw bounds(['default_prefixlen', defaultPrefixlen], ['min_prefixlen', minPrefixlen]);
  refuseAbove(['default_prefixlen', defaultPrefixlen], ['max_prefixlen', maxPrefixlen]);
  const prefixes = asCidrs(version, cidrs.map(rangeOf)).map(formatCidr);
  return { ipVersion: version, prefixes, minPrefixlen, maxPrefixlen, defaultPrefixlen };
}

type Bound = [name: string, length: number];

function refuseAbove(low: Bound, high: Bound): void {
  if (low[1] > high[1]) throw bounds(low, high);
}

const bounds = (one: Bound, other: Bound) =>
  badRequest(`Illegal prefix bounds: ${one[0]}=${one[1]}, ${other[0]}=${other[1]}.`, 'IllegalSubnetPoolPrefixBounds');
