import { and, eq, getTableColumns, inArray, or, sql } from 'drizzle-orm';
import { ipAllocations, networks, securityGroups, subnets } from '../../../db/schema/network.ts';
import { runBatch, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { visibleNetworks } from '../api/visibility.ts';
import { type Address, type PickRow, readPicks, type SubnetRow } from '../ipam/address-picks.ts';
import type { Random } from '../ipam/random.ts';
import { sharedWithMe, targetsOf } from '../rbac/shared-with.ts';
import { DEFAULT_GROUP_NAME } from '../security-groups/new-group.ts';
import type { WantedAddress } from './attributes.ts';
import type { SharedGroup } from './choose-groups.ts';

/** What planning ports must know. */
export interface PortReads {
  networks: Map<string, typeof networks.$inferSelect>;
  subnets: SubnetRow[];
  picks: PickRow[];
  /** Which of the addresses wanted by name are in use. */
  taken: Address[];
  groups: SharedGroup[];
  /** What was found of `also`. */
  also: unknown[];
}

/** What is asked of some ports, as far as it decides what to read. */
export interface PortQuestion {
  networkIds: string[];
  wanted: WantedAddress[];
  groupIds: string[];
  /** Projects whose default group may be needed. */
  projectIds: string[];
  /** How many ports. */
  count: number;
  /** What else the caller reads in the same round trip. */
  also?: Statement[];
}

/** Reads it all in one round trip: networks that the actor sees, their subnets with free addresses, groups by id and default ones. */
export async function readForPorts(ctx: ActorContext, question: PortQuestion, random: Random): Promise<PortReads> {
  const { networkIds, wanted, groupIds, projectIds, count, also = [] } = question;
  const onNetworks = inArray(subnets.networkId, networkIds);
  const named = wanted.flatMap((one) => one.ip_address ?? []);
  const [networkRows, subnetRows, picks, taken, groups, ...others] = (await runBatch(ctx.db, [
    ctx.db
      .select({ ...getTableColumns(networks), shared: sharedWithMe(ctx, 'network', sql`networks.id`) })
      .from(networks)
      .where(and(inArray(networks.id, networkIds), visibleNetworks(ctx))),
    ctx.db.select().from(subnets).where(onNetworks).orderBy(subnets.createdAtMs, subnets.id),
    readPicks(ctx.db, sql`${onNetworks}`, count + wanted.length, random),
    ctx.db
      .select({
        subnetId: ipAllocations.subnetId,
        hostOffset: ipAllocations.hostOffset,
        ipAddress: ipAllocations.ipAddress,
      })
      .from(ipAllocations)
      .innerJoin(subnets, eq(subnets.id, ipAllocations.subnetId))
      .where(and(onNetworks, inArray(ipAllocations.ipAddress, named))),
    ctx.db
      .select({ ...getTableColumns(securityGroups), sharedWith: targetsOf(sql`security_groups.id`) })
      .from(securityGroups)
      .where(
        and(
          eq(securityGroups.region, ctx.region),
          or(
            inArray(securityGroups.id, groupIds),
            and(inArray(securityGroups.projectId, projectIds), eq(securityGroups.name, DEFAULT_GROUP_NAME)),
          ),
        ),
      ),
    ...also,
  ])) as [(typeof networks.$inferSelect)[], SubnetRow[], PickRow[], Address[], SharedGroup[], ...unknown[]];
  const found = { subnets: subnetRows, picks, taken, groups, also: others };
  return { networks: new Map(networkRows.map((row) => [row.id, row])), ...found };
}
