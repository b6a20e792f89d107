import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.ts';
import type { subnets } from '../../../db/schema/network.ts';
import { addressAt, parseCidr } from '../../../shared/cidr.ts';
import type { Statement } from '../../http/commit.ts';
import type { Random } from './random.ts';

/** Host offsets are kept as exact numbers, so pools end below this offset from the subnet's first address. */
export const HOST_OFFSET_MAX = Number.MAX_SAFE_INTEGER;
/** More free addresses are read than needed, and one of them taken by chance, so that parallel creates rarely meet. */
const SPARE_PICKS = 7;

export type SubnetRow = typeof subnets.$inferSelect;

/** An address for a port, as a row of `ip_allocations` holds it. */
export interface Address {
  subnetId: string;
  hostOffset: number;
  ipAddress: string;
}

/** A free address as the read finds it. */
export interface PickRow {
  subnet_id: string;
  host_offset: number;
}

/** The first free offset from `at` up to `last`: `at` itself, or the one after the run of used ones that holds it. */
const nextFree = (subnetId: SQL, at: SQL, last: SQL) => sql`
  CASE WHEN ${at} > ${last} THEN NULL
  WHEN NOT EXISTS (SELECT 1 FROM ip_allocations x WHERE x.subnet_id = ${subnetId} AND x.host_offset = ${at}) THEN ${at}
  ELSE (SELECT x.host_offset + 1 FROM ip_allocations x
    WHERE x.subnet_id = ${subnetId} AND x.host_offset >= ${at} AND x.host_offset < ${last}
      AND NOT EXISTS (SELECT 1 FROM ip_allocations y WHERE y.subnet_id = x.subnet_id AND y.host_offset = x.host_offset + 1)
    ORDER BY x.host_offset LIMIT 1) END`;

/**
 * Reads free addresses of subnets, from a random place in each pool onwards and, after its end, from its beginning.
 * @param subnetsWhere - a condition on `subnets`
 * @param count - how many addresses of one subnet the caller needs at most
 */
export function readPicks(db: Database, subnetsWhere: SQL, count: number, random: Random): Statement {
  const seed = random.below(HOST_OFFSET_MAX);
  const rounds = count + SPARE_PICKS;
  return db.all<PickRow>(sql`
    WITH RECURSIVE
    pools (subnet_id, first, last, start) AS (
      SELECT subnets.id, p.value ->> 'first', p.value ->> 'last',
        (p.value ->> 'first') + CAST(${seed} AS INTEGER) % ((p.value ->> 'last') - (p.value ->> 'first') + 1)
      FROM subnets, json_each(subnets.allocation_pools) p WHERE ${subnetsWhere}),
    spans (subnet_id, at, last) AS (
      SELECT subnet_id, start, last FROM pools
      UNION ALL SELECT subnet_id, first, start - 1 FROM pools WHERE start > first),
    picks (subnet_id, n, host_offset, last) AS (
      SELECT subnet_id, 1, ${nextFree(sql`spans.subnet_id`, sql`spans.at`, sql`spans.last`)}, last FROM spans
      UNION ALL
      SELECT subnet_id, n + 1, ${nextFree(sql`picks.subnet_id`, sql`(picks.host_offset + 1)`, sql`picks.last`)}, last
      FROM picks WHERE host_offset IS NOT NULL AND n < CAST(${rounds} AS INTEGER))
    SELECT subnet_id, host_offset FROM picks WHERE host_offset IS NOT NULL`);
}

/** Hands out the addresses that a read found free, none twice. */
export interface Picker {
  /** An address of the first of these subnets that has one left. */
  take(subnetIds: string[]): Address | null;
  /** Keeps an asked-for address from being handed out; false where it was reserved before. */
  reserve(address: Address): boolean;
}

/** A picker over what `readPicks` found of these subnets. */
export function makePicker(subnetRows: SubnetRow[], pickRows: PickRow[], random: Random): Picker {
  const ranges = new Map(subnetRows.map((row) => [row.id, parseCidr(row.cidr)]));
  const reserved = new Set<string>();
  const free = new Map<string, number[]>();
  for (const row of pickRows) free.set(row.subnet_id, [...(free.get(row.subnet_id) ?? []), row.host_offset]);
  return {
    take(subnetIds) {
      for (const subnetId of subnetIds) {
        const offsets = free.get(subnetId) ?? [];
        const range = ranges.get(subnetId);
        const [hostOffset] = offsets.splice(random.below(Math.max(1, offsets.length)), 1);
        if (hostOffset !== undefined && range) {
          return { subnetId, hostOffset, ipAddress: addressAt(range, hostOffset) };
        }
      }
      return null;
    },
    reserve({ subnetId, hostOffset }) {
      const key = `${subnetId} ${hostOffset}`;
      if (reserved.has(key)) return false;
      reserved.add(key);
      const offsets = (free.get(subnetId) ?? []).filter((offset) => offset !== hostOffset);
      free.set(subnetId, offsets);
      return true;
    },
  };
}
