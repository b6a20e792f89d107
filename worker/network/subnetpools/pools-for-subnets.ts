import { and, inArray, or, sql } from 'drizzle-orm';
import { subnets } from '../../../db/schema/network.ts';
import { subnetpools } from '../../../db/schema/subnetpools.ts';
import { runBatch, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { assertRevision } from '../api/races.ts';
import { visibleOf } from '../api/visibility.ts';
import { subnetpoolNotFound } from '../faults.ts';
import { allocate, type Taken } from './allocate.ts';
import { type PoolRow, selectPools } from './pool-rows.ts';

/** What of a new subnet decides where its range comes from. */
interface Wish {
  ip_version: 4 | 6;
  cidr?: string | null | undefined;
  prefixlen?: number | undefined;
  subnetpool_id?: string | null | undefined;
  use_default_subnetpool?: boolean | undefined;
  allocation_pools?: unknown[] | undefined;
  projectId: string;
}

/** Hands out ranges of the pools that some new subnets name, none twice. */
export interface Ranges {
  /** The range of a subnet, and its pool; null where it names none. @throws ApiError as `allocate`, 400, 404 no such pool */
  take(wish: Wish): { cidr: string; pool: PoolRow } | null;
  /** What makes it so that no other request takes a range of those pools meanwhile. */
  statements(): Statement[];
}

const bad = (why: string) => badRequest(`Bad subnets request: ${why}.`, 'BadRequest');

/** Reads the pools that new subnets name, and what is taken of them. @throws ApiError 400 a wish that makes no sense */
export async function rangesFor(ctx: ActorContext, wishes: Wish[]): Promise<Ranges> {
  for (const wish of wishes) checkWish(wish);
  const ids = wishes.flatMap((wish) => wish.subnetpool_id ?? []);
  const versions = wishes.filter((wish) => wish.use_default_subnetpool).map((wish) => wish.ip_version);
  if (ids.length === 0 && versions.length === 0) return { take: () => null, statements: () => [] };
  const wanted = or(
    inArray(subnetpools.id, ids),
    and(inArray(subnetpools.ipVersion, versions), sql`${subnetpools.isDefault}`),
  );
  const where = sql`(${wanted} AND ${visibleOf(ctx, 'subnetpool')})`;
  const [pools, taken] = (await runBatch(ctx.db, [
    selectPools(ctx).where(where),
    ctx.db
      .select({ poolId: subnets.subnetpoolId, cidr: subnets.cidr, projectId: subnets.projectId })
      .from(subnets)
      .where(sql`${subnets.subnetpoolId} IN (SELECT id FROM subnetpools WHERE ${where})`),
  ])) as [PoolRow[], (Taken & { poolId: string })[]];
  const used = new Set<PoolRow>();
  return {
    take(wish) {
      const pool = poolOf(pools, wish);
      if (!pool) return null;
      checkVersion(pool, wish);
      const { prefixlen, projectId } = wish;
      const ofPool = taken.filter((one) => one.poolId === pool.id);
      const cidr = allocate(pool, ofPool, { cidr: wish.cidr ?? null, prefixlen, projectId });
      taken.push({ poolId: pool.id, cidr, projectId });
      used.add(pool);
      return { cidr, pool };
    },
    statements: () =>
      [...used].flatMap((pool) => [
        assertRevision(ctx, 'subnetpools', pool),
        ctx.db.run(sql`UPDATE subnetpools SET revision = revision + 1 WHERE id = ${pool.id}`),
      ]),
  };
}

function checkWish(wish: Wish): void {
  const byRange = typeof wish.cidr === 'string';
  if (byRange && wish.prefixlen !== undefined) throw bad('cidr and prefixlen must not be supplied together');
  const pooled = Boolean(wish.subnetpool_id) || wish.use_default_subnetpool === true;
  if (wish.subnetpool_id && wish.use_default_subnetpool) {
    throw bad('subnetpool_id and use_default_subnetpool cannot both be specified');
  }
  if (!pooled && !byRange) throw bad('a subnetpool must be specified in the absence of a cidr');
  if (pooled && !byRange && wish.allocation_pools !== undefined) {
    throw bad('allocation_pools allowed only for specific subnet requests');
  }
}

function poolOf(pools: PoolRow[], wish: Wish): PoolRow | null {
  if (wish.subnetpool_id) {
    const pool = pools.find((one) => one.id === wish.subnetpool_id);
    if (!pool) throw subnetpoolNotFound(wish.subnetpool_id);
    return pool;
  }
  if (!wish.use_default_subnetpool) return null;
  const pool = pools.find((one) => one.isDefault && one.ipVersion === wish.ip_version);
  if (!pool) throw bad(`No default subnetpool found for IPv${wish.ip_version}`);
  return pool;
}

function checkVersion(pool: PoolRow, { ip_version: version }: Wish): void {
  if (version === pool.ipVersion) return;
  throw bad(`Cannot allocate IPv${version} subnet from IPv${pool.ipVersion} subnet pool`);
}
