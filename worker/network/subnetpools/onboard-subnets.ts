import { and, eq, sql } from 'drizzle-orm';
import { subnets } from '../../../db/schema/network.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { assertRevision, whileRacing } from '../api/races.ts';
import { meet, rangeOf } from '../ipam/ranges.ts';
import { showNetwork } from '../networks/show-network.ts';
import { enforce } from '../policy.ts';
import { parsed } from '../subnets/plan-subnet.ts';
import { planWith } from './change-prefixes.ts';
import { showPool } from './pool-rows.ts';
import { writePool } from './update-pool.ts';

/**
 * Takes the subnets of a network into a pool, whose prefixes grow by theirs.
 * @returns the subnets
 * @throws ApiError 400 what the pool has handed out meets them, 403 another's network, 404 no such pool or network
 */
export function onboardSubnets(
  ctx: ActorContext,
  input: { poolId: string; networkId: string },
): Promise<{ id: string; cidr: string }[]> {
  return whileRacing(async () => {
    const row = await showPool(ctx, input.poolId);
    enforce(ctx, 'onboard_network_subnets', { projectId: row.projectId });
    const network = await showNetwork(ctx, input.networkId);
    enforce(ctx, 'update_network', { projectId: network.projectId });
    const found = await ctx.db
      .select({ id: subnets.id, cidr: subnets.cidr })
      .from(subnets)
      .where(and(eq(subnets.networkId, network.id), eq(subnets.ipVersion, row.ipVersion)));
    const taken = await ctx.db.select({ cidr: subnets.cidr }).from(subnets).where(eq(subnets.subnetpoolId, row.id));
    for (const { id, cidr } of found) {
      if (
        !meet(
          [rangeOf(parsed(cidr))],
          taken.map((one) => rangeOf(parsed(one.cidr))),
        )
      )
        continue;
      throw badRequest(
        `Illegal subnetpool update : Onboarding subnet ${id}: ${cidr} conflicts with allocated prefixes in subnet pool ${row.id}.`,
        'IllegalSubnetPoolUpdate',
      );
    }
    await writePool(ctx, row, {
      plan: planWith(row, [...row.prefixes, ...found.map(({ cidr }) => cidr)]),
      changes: {},
      more: [
        assertRevision(ctx, 'networks', network),
        ctx.db
          .update(subnets)
          .set({ subnetpoolId: row.id, revision: sql`revision + 1`, updatedAtMs: ctx.clock.nowMs() })
          .where(and(eq(subnets.networkId, network.id), eq(subnets.ipVersion, row.ipVersion))),
      ],
    });
    return found;
  });
}
