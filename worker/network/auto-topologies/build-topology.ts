import { autoTopologies } from '../../../db/schema/auto-topologies.ts';
import { ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { createValues } from '../api/attributes.ts';
import { networkAttributes } from '../networks/attributes.ts';
import { createNetworks } from '../networks/create-networks.ts';
import { enforce } from '../policy.ts';
import { addInterface } from '../routers/add-interface.ts';
import { routerAttributes } from '../routers/attributes.ts';
import { createRouters } from '../routers/create-routers.ts';
import { subnetAttributes } from '../subnets/attributes.ts';
import { createSubnets } from '../subnets/create-subnets.ts';
import { deploymentError } from './faults.ts';
import type { Requirements } from './requirements.ts';
import { takeDown } from './take-down.ts';
import { findTopology } from './topology-rows.ts';

/** What was made so far, to be taken down where the rest cannot be. */
interface Made {
  networkId?: string;
  routerId?: string;
}

/**
 * Makes a project's network with a subnet of each default pool, and a router that leads it outside. Of several requests
 * at once one is the first; the others take down what they made and answer with its network.
 * @returns the network's id
 * @throws ApiError 403, and 409 where a quota or a pool is used up; nothing is left of it then
 */
export async function buildTopology(ctx: ActorContext, projectId: string, from: Requirements): Promise<string> {
  enforce(ctx, 'create_network', { projectId });
  const made: Made = {};
  try {
    return await build(ctx, projectId, { from, made });
  } catch (error) {
    await takeDown(ctx, { networkId: made.networkId ?? null, routerId: made.routerId ?? null });
    const first = error instanceof ConstraintFailed ? await findTopology(ctx, projectId) : undefined;
    if (!first) throw error;
    return first.networkId;
  }
}

async function build(
  ctx: ActorContext,
  projectId: string,
  { from, made }: { from: Requirements; made: Made },
): Promise<string> {
  const network = { ...createValues(networkAttributes, { name: 'auto_allocated_network' }), projectId };
  const [{ id: networkId } = { id: '' }] = await createNetworks(ctx, [network]);
  made.networkId = networkId;
  const wishes = from.pools.map(({ id, ipVersion }) => {
    const sent = { name: `auto_allocated_subnet_v${ipVersion}`, network_id: networkId, ip_version: ipVersion };
    return { ...createValues(subnetAttributes, { ...sent, subnetpool_id: id }), projectId };
  });
  const subnets = await createSubnets(ctx, wishes);
  const gateway = { network_id: from.externalNetworkId };
  const router = createValues(routerAttributes, { name: 'auto_allocated_router', external_gateway_info: gateway });
  const [row] = await createRouters(ctx, [{ ...router, projectId }]);
  if (!row) throw deploymentError('Unable to provide external connectivity');
  made.routerId = row.id;
  for (const { id } of subnets) await addInterface(ctx, row.id, { subnetId: id, portId: undefined });
  await commit(ctx, {
    audit: { action: 'create_auto_allocated_topology', targetType: 'network', targetId: networkId },
    statements: [ctx.db.insert(autoTopologies).values({ region: ctx.region, projectId, networkId, routerId: row.id })],
  });
  return networkId;
}
