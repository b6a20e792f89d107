import { type SQL, sql } from 'drizzle-orm';
import { assertThat, type Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { nameValues } from '../http/reads.ts';
import type { Host } from './filters.ts';

/** What a placement takes of a host. */
export interface Claim {
  vcpus: number;
  memoryMib: number;
  diskGib: number;
}

/** The name of the assertion that a host still has room. */
export const CLAIM = 'claim';

/** Where each member of a host comes from, in `runners`. */
const COLUMNS: { readonly [Member in Exclude<keyof Host, 'aggregates'>]: string } = {
  id: 'id',
  name: 'name',
  zone: 'zone',
  state: 'state',
  connected: `json(iif(connected AND NOT forced_down, 'true', 'false'))`,
  leaseExpiresAtMs: 'lease_expires_at_ms',
  vcpusFree: 'vcpus_allocatable - vcpus_claimed',
  memoryMibFree: 'memory_mib_allocatable - memory_mib_claimed',
  diskGibFree: 'disk_gib_allocatable - disk_gib_claimed',
  hypervisor: 'hypervisor',
  capabilities: 'json(capabilities)',
  tunnelIp: 'tunnel_ip',
  physicalNetworks: 'json(physical_networks)',
};
const MEMBERS = Object.keys(COLUMNS);
const VALUES = sql.raw(`json_group_array(json_array(${Object.values(COLUMNS).join(', ')}))`);

/**
 * The reads of the region's hosts, or of one alone, for a batch: all in one text, as there may be a thousand. `hostsOf` reads
 * them.
 */
export const hostReads = (ctx: Context, only?: string | SQL): Statement[] => [
  ctx.db.all(sql`
    SELECT ${VALUES} AS hosts FROM runners
    WHERE region = ${ctx.region} AND state <> 'removed' AND ${only === undefined ? sql`1` : sql`id = ${only}`}`),
  ctx.db.all(sql`
    SELECT h.runner_id AS runnerId, a.metadata FROM aggregate_hosts h JOIN aggregates a ON a.id = h.aggregate_id
    WHERE a.region = ${ctx.region} AND a.metadata <> '{}'`),
];

const NO_AGGREGATES: Host['aggregates'] = [];

/** The hosts of `hostReads`. */
export function hostsOf([hosts, aggregates]: unknown[]): Host[] {
  const [row] = hosts as { hosts: string }[];
  const said = new Map<string, Record<string, string>[]>();
  for (const { runnerId, metadata } of aggregates as { runnerId: string; metadata: string }[]) {
    said.set(runnerId, [...(said.get(runnerId) ?? []), JSON.parse(metadata) as Record<string, string>]);
  }
  return (JSON.parse(row?.hosts ?? '[]') as unknown[][]).map((values) => {
    const host = nameValues<Host>(MEMBERS, values) as { -readonly [Member in keyof Host]: Host[Member] };
    host.aggregates = said.get(host.id) ?? NO_AGGREGATES;
    return host;
  });
}

/** Takes a claim on a host, and fails the batch (assertion `claim`) where the host no longer has room or takes no servers. */
export function takeClaim(ctx: Context, host: Pick<Host, 'id'>, claim: Claim): Statement[] {
  const room = sql`EXISTS (SELECT 1 FROM runners WHERE id = ${host.id} AND state = 'enabled' AND NOT forced_down
    AND vcpus_claimed + ${claim.vcpus} <= vcpus_allocatable
    AND memory_mib_claimed + ${claim.memoryMib} <= memory_mib_allocatable
    AND disk_gib_claimed + ${claim.diskGib} <= disk_gib_allocatable)`;
  return [
    assertThat(ctx.db, CLAIM, room),
    ctx.db.run(sql`
      UPDATE runners SET vcpus_claimed = vcpus_claimed + ${claim.vcpus},
        memory_mib_claimed = memory_mib_claimed + ${claim.memoryMib}, disk_gib_claimed = disk_gib_claimed + ${claim.diskGib}
      WHERE id = ${host.id}`),
  ];
}

/** Gives a server's claims back to its host, once: what it holds is read from the server's row and then zeroed there. */
export function returnClaim(ctx: Context, serverWhere: SQL): Statement[] {
  const held = (column: string) => sql.raw(`(SELECT ${column} FROM servers WHERE `);
  return [
    ctx.db.run(sql`
      UPDATE runners SET vcpus_claimed = vcpus_claimed - ${held('claimed_vcpus')}${serverWhere}),
        memory_mib_claimed = memory_mib_claimed - ${held('claimed_memory_mib')}${serverWhere}),
        disk_gib_claimed = disk_gib_claimed - ${held('claimed_disk_gib')}${serverWhere})
      WHERE id = (SELECT runner_id FROM servers WHERE ${serverWhere})`),
    ctx.db.run(
      sql`UPDATE servers SET claimed_vcpus = 0, claimed_memory_mib = 0, claimed_disk_gib = 0 WHERE ${serverWhere}`,
    ),
  ];
}
