import { BITS, type Cidr, formatCidr } from '../../../shared/cidr.ts';
import { badRequest, conflict } from '../../http/errors.ts';
import { asCidrs, rangeOf, without } from '../ipam/ranges.ts';
import { parsed } from '../subnets/plan-subnet.ts';

/** What ranges are picked from. */
export interface Pool {
  prefixes: string[];
  ipVersion: number;
  minPrefixlen: number;
  maxPrefixlen: number;
  defaultPrefixlen: number;
  defaultQuota: number | null;
}

/** A range that a subnet has of the pool. */
export interface Taken {
  cidr: string;
  projectId: string;
}

export interface Wanted {
  /** A certain range, or null: any of a length. */
  cidr: string | null;
  /** Undefined: the pool's usual one. */
  prefixlen: number | undefined;
  projectId: string;
}

/** What one unit of a pool's quota is: an address of IPv4, a range of IPv6 that a network has. */
const QUOTA_UNIT_PREFIX = { 4: 32, 6: 64 } as const;

/**
 * A range of a pool that no subnet has. Of any, it is in the smallest gap that it fits.
 * @throws ApiError 400 longer or shorter than the pool hands out, 409 none left, not free, or beyond what a project may have
 */
export function allocate(pool: Pool, taken: Taken[], wanted: Wanted): string {
  const version = pool.ipVersion as 4 | 6;
  const prefix = wanted.cidr === null ? (wanted.prefixlen ?? pool.defaultPrefixlen) : parsed(wanted.cidr).prefix;
  checkLength(pool, prefix);
  checkShare(pool, taken, { projectId: wanted.projectId, prefix });
  const ranges = (cidrs: string[]) => cidrs.map((cidr) => rangeOf(parsed(cidr)));
  const free = without(ranges(pool.prefixes), ranges(taken.map(({ cidr }) => cidr)));
  if (wanted.cidr !== null) {
    if (without(ranges([wanted.cidr]), free).length === 0) return wanted.cidr;
    throw failed('Cannot allocate requested subnet from the available set of prefixes');
  }
  const [gap] = asCidrs(version, free)
    .filter((cidr) => cidr.prefix <= prefix)
    .sort((a, b) => b.prefix - a.prefix);
  if (!gap) throw failed(`Insufficient prefix space to allocate subnet size /${prefix}`);
  return formatCidr({ ...gap, prefix });
}

const failed = (why: string) => conflict(`Failed to allocate subnet: ${why}.`, 'SubnetAllocationError');

function checkLength(pool: Pool, prefix: number): void {
  const refused = `Unable to allocate subnet with prefix length ${prefix},`;
  if (prefix > pool.maxPrefixlen) {
    throw badRequest(`${refused} maximum allowed prefix is ${pool.maxPrefixlen}.`, 'MaxPrefixSubnetAllocationError');
  }
  if (prefix < pool.minPrefixlen) {
    throw badRequest(`${refused} minimum allowed prefix is ${pool.minPrefixlen}.`, 'MinPrefixSubnetAllocationError');
  }
}

function checkShare(pool: Pool, taken: Taken[], wanted: { projectId: string; prefix: number }): void {
  if (!pool.defaultQuota) return;
  const own = taken.filter(({ projectId }) => projectId === wanted.projectId).map(({ cidr }) => parsed(cidr));
  const asked: Pick<Cidr, 'prefix'> = { prefix: wanted.prefix };
  const units = [...own, asked].reduce((sum, { prefix }) => sum + unitsOf(pool.ipVersion as 4 | 6, prefix), 0);
  if (units > pool.defaultQuota) {
    throw conflict('Per-project subnet pool prefix quota exceeded.', 'SubnetPoolQuotaExceeded');
  }
}

/** A range in units of quota; of ranges smaller than one, a part. */
const unitsOf = (version: 4 | 6, prefix: number): number =>
  2 ** (QUOTA_UNIT_PREFIX[version] - Math.min(prefix, BITS[version]));
