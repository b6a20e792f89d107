import { and, eq, inArray, sql } from 'drizzle-orm';
import { networks, subnets } from '../../../db/schema/network.ts';
import { subnetpools } from '../../../db/schema/subnetpools.ts';
import { commit, runBatch, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import type { Created } from '../api/attributes.ts';
import { inOrder } from '../api/in-order.ts';
import { assertRevision, whileRacing } from '../api/races.ts';
import { visibleNetworks } from '../api/visibility.ts';
import { holds, putNetworks } from '../desired/puts.ts';
import { networkNotFound } from '../faults.ts';
import { autoSql, isAuto } from '../ipam/auto-addresses.ts';
import { enforce } from '../policy.ts';
import { listOf } from '../ports/port-statements.ts';
import { assertQuota } from '../quotas/assert-quota.ts';
import { rangesFor } from '../subnetpools/pools-for-subnets.ts';
import type { subnetAttributes } from './attributes.ts';
import { checkIpv6Modes } from './check-ipv6-modes.ts';
import { type Neighbour, planSubnet, refuseOtherPools, refuseOverlap, type SubnetPlan } from './plan-subnet.ts';
import { followNew } from './ports-that-follow.ts';
import { type SubnetWithNetwork, selectSubnets } from './subnet-rows.ts';

/** Subnets of one network; hosts are sent a network whole. */
const SUBNETS_PER_NETWORK_MAX = 64;
/** Those of one network in which each port has an address: a port has 16 at most, some of them chosen. */
const AUTO_SUBNETS_PER_NETWORK_MAX = 8;

export type NewSubnet = Created<typeof subnetAttributes> & { projectId: string };
type NetworkOwner = Pick<typeof networks.$inferSelect, 'id' | 'projectId' | 'revision'>;

/**
 * Makes subnets, all or none, and tells the hosts that serve their networks. A network's revision rises with each, so two
 * at once cannot overlap.
 * @returns them in the order asked for
 * @throws ApiError 400 what does not fit together or overlaps, 403 another's network, 404 no such network, 409 gateway in a pool
 */
export function createSubnets(ctx: ActorContext, inputs: NewSubnet[]): Promise<SubnetWithNetwork[]> {
  const networkIds = [...new Set(inputs.map((input) => input.network_id))];
  return whileRacing(async () => {
    const { owners, ranges } = await readNetworks(ctx, networkIds);
    const pooled = await rangesFor(ctx, inputs);
    const rows = inputs.map((input) => {
      const network = owners.get(input.network_id);
      if (!network) throw networkNotFound(input.network_id);
      enforce(ctx, 'create_subnet', { projectId: network.projectId });
      const others = ranges.get(network.id) ?? [];
      const given = pooled.take(input);
      const plan = planSubnet({ ...input, cidr: given?.cidr ?? input.cidr ?? '' });
      const { cidr } = plan;
      checkIpv6Modes({ ...input, cidr });
      refuseOtherPools(others, input.ip_version, given?.pool ?? null);
      refuseOverlap(
        network.id,
        cidr,
        others.map((other) => other.cidr),
      );
      const auto = isAuto({ ipv6RaMode: input.ipv6_ra_mode ?? null, ipv6AddressMode: input.ipv6_address_mode ?? null });
      refuseTooMany(others, auto);
      const pool = { subnetpoolId: given?.pool.id ?? null, scopeId: given?.pool.addressScopeId ?? null };
      ranges.set(network.id, [...others, { networkId: network.id, cidr, ipVersion: input.ip_version, auto, ...pool }]);
      return newRow(ctx, input, { ...plan, subnetpoolId: pool.subnetpoolId });
    });
    return write(ctx, rows, { owners: [...owners.values()], pooled: pooled.statements() });
  });
}

/** @throws ApiError 409 where a network has as many subnets as it may */
function refuseTooMany(others: Neighbour[], auto: boolean): void {
  const autos = others.filter((other) => other.auto).length;
  if (others.length < SUBNETS_PER_NETWORK_MAX && !(auto && autos >= AUTO_SUBNETS_PER_NETWORK_MAX)) return;
  throw conflict("Quota exceeded for resources: ['subnet'].", 'OverQuota');
}

async function readNetworks(ctx: ActorContext, ids: string[]) {
  const [ownerRows, rangeRows] = (await runBatch(ctx.db, [
    ctx.db
      .select({ id: networks.id, projectId: networks.projectId, revision: networks.revision })
      .from(networks)
      .where(and(inArray(networks.id, ids), visibleNetworks(ctx))),
    ctx.db
      .select({
        networkId: subnets.networkId,
        cidr: subnets.cidr,
        ipVersion: subnets.ipVersion,
        subnetpoolId: subnets.subnetpoolId,
        auto: sql<boolean>`${autoSql('subnets')}`.mapWith(Boolean),
        scopeId: subnetpools.addressScopeId,
      })
      .from(subnets)
      .leftJoin(subnetpools, eq(subnetpools.id, subnets.subnetpoolId))
      .where(inArray(subnets.networkId, ids)),
  ])) as [NetworkOwner[], Neighbour[]];
  const ranges = new Map<string, Neighbour[]>();
  for (const row of rangeRows) ranges.set(row.networkId, [...(ranges.get(row.networkId) ?? []), row]);
  return { owners: new Map(ownerRows.map((row) => [row.id, row])), ranges };
}

function newRow(ctx: ActorContext, input: NewSubnet, plan: SubnetPlan & { subnetpoolId: string | null }) {
  const now = ctx.clock.nowMs();
  return {
    ...plan,
    id: ctx.ids.uuid(),
    region: ctx.region,
    projectId: input.projectId,
    networkId: input.network_id,
    name: input.name,
    description: input.description,
    ipVersion: input.ip_version,
    enableDhcp: input.enable_dhcp,
    dnsNameservers: input.dns_nameservers ?? [],
    hostRoutes: input.host_routes ?? [],
    ipv6RaMode: input.ipv6_ra_mode ?? null,
    ipv6AddressMode: input.ipv6_address_mode ?? null,
    createdAtMs: now,
    updatedAtMs: now,
  };
}

async function write(
  ctx: ActorContext,
  rows: ReturnType<typeof newRow>[],
  { owners, pooled }: { owners: NetworkOwner[]; pooled: Statement[] },
) {
  const ids = rows.map((row) => row.id);
  const networkIds = listOf(owners.map((network) => network.id));
  const followed = await followNew(ctx, rows);
  const results = await commit(ctx, {
    audit: { action: 'create_subnet', targetType: 'subnet', targetId: ids[0] ?? '', detail: { ids } },
    touches: sql`(EXISTS (SELECT 1 FROM networks WHERE id IN (${networkIds}) AND ${holds('network', sql`networks.id`)})
      OR ${followed.touches})`,
    statements: [
      ...owners.map((network) => assertRevision(ctx, 'networks', network)),
      ...pooled,
      ctx.db.insert(subnets).values(rows),
      ...assertQuota(
        ctx,
        'subnet',
        rows.map(({ projectId }) => projectId),
      ),
      ctx.db
        .update(networks)
        .set({ revision: sql`revision + 1`, updatedAtMs: ctx.clock.nowMs() })
        .where(sql`networks.id IN (${networkIds})`),
      ...followed.statements,
      putNetworks(ctx.db, sql`networks.id IN (${networkIds}) AND ${holds('network', sql`networks.id`)}`),
      selectSubnets(ctx).where(inArray(subnets.id, ids)),
    ],
  });
  return inOrder(results.at(-1) as SubnetWithNetwork[], ids);
}
