import { and, eq } from 'drizzle-orm';
import { networks } from '../../../db/schema/network.ts';
import { subnetpools } from '../../../db/schema/subnetpools.ts';
import { runBatch } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { visibleNetworks, visibleOf } from '../api/visibility.ts';
import { deploymentError } from './faults.ts';

/** What a project's network is made of: where it leads, and from where it has its addresses. */
export interface Requirements {
  externalNetworkId: string;
  pools: { id: string; ipVersion: 4 | 6 }[];
}

/** Finds what an operator has marked as default. @throws ApiError 409 where there is no external network, or no pool */
export async function findRequirements(ctx: ActorContext): Promise<Requirements> {
  const external = and(eq(networks.external, true), eq(networks.isDefault, true), visibleNetworks(ctx));
  const [found, pools] = (await runBatch(ctx.db, [
    ctx.db.select({ id: networks.id }).from(networks).where(external).limit(1),
    ctx.db
      .select({ id: subnetpools.id, ipVersion: subnetpools.ipVersion })
      .from(subnetpools)
      .where(and(eq(subnetpools.isDefault, true), visibleOf(ctx, 'subnetpool')))
      .orderBy(subnetpools.ipVersion),
  ])) as [{ id: string }[], Requirements['pools']];
  const [network] = found;
  if (!network) throw deploymentError('No default router:external network');
  if (pools.length === 0) throw deploymentError('No default subnetpools defined');
  return { externalNetworkId: network.id, pools };
}
