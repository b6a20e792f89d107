import { eq } from 'drizzle-orm';
import { subnets } from '../../../db/schema/network.ts';
import { formatCidr } from '../../../shared/cidr.ts';
import type { ActorContext } from '../../http/context.ts';
import { whileRacing } from '../api/races.ts';
import { asCidrs, meet, rangeOf, without } from '../ipam/ranges.ts';
import { enforce } from '../policy.ts';
import { parsed } from '../subnets/plan-subnet.ts';
import { planPool } from './plan-pool.ts';
import { type PoolRow, showPool } from './pool-rows.ts';
import { illegalPrefixes, writePool } from './update-pool.ts';

/** Adds prefixes to a pool. @returns what it then has @throws ApiError as an update of the pool */
export function addPrefixes(ctx: ActorContext, id: string, prefixes: string[]): Promise<string[]> {
  return whileRacing(async () => {
    const row = await showPool(ctx, id);
    enforce(ctx, 'add_prefixes', { projectId: row.projectId });
    const changed = await writePool(ctx, row, {
      plan: planWith(row, [...row.prefixes, ...prefixes]),
      changes: {},
      more: [],
    });
    return changed.prefixes;
  });
}

/** Takes prefixes from a pool. @returns what it then has @throws ApiError 400 a subnet has some of them, or nothing is left */
export function removePrefixes(ctx: ActorContext, id: string, prefixes: string[]): Promise<string[]> {
  return whileRacing(async () => {
    const row = await showPool(ctx, id);
    enforce(ctx, 'remove_prefixes', { projectId: row.projectId });
    const taken = await ctx.db.select({ cidr: subnets.cidr }).from(subnets).where(eq(subnets.subnetpoolId, id));
    const gone = ranges(prefixes);
    if (meet(ranges(taken.map(({ cidr }) => cidr)), gone)) {
      throw illegalPrefixes('One or more the prefixes to be removed is in use by a subnet');
    }
    const left = asCidrs(row.ipVersion as 4 | 6, without(ranges(row.prefixes), gone)).map(formatCidr);
    const changed = await writePool(ctx, row, { plan: planWith(row, left), changes: {}, more: [] });
    return changed.prefixes;
  });
}

const ranges = (prefixes: string[]) => prefixes.map((prefix) => rangeOf(parsed(prefix)));

/** A pool with other prefixes. */
export const planWith = (row: PoolRow, prefixes: string[]) =>
  planPool({
    prefixes,
    minPrefixlen: row.minPrefixlen,
    maxPrefixlen: row.maxPrefixlen,
    defaultPrefixlen: row.defaultPrefixlen,
  });
