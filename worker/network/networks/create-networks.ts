import { inArray } from 'drizzle-orm';
import { networks } from '../../../db/schema/network.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import type { Created } from '../api/attributes.ts';
import { inOrder } from '../api/in-order.ts';
import { enforce } from '../policy.ts';
import { assertQuota } from '../quotas/assert-quota.ts';
import { shareNew } from '../rbac/network-sharing.ts';
import type { networkAttributes } from './attributes.ts';
import { type NetworkRow, selectNetworks } from './network-rows.ts';

export type NewNetwork = Created<typeof networkAttributes> & { projectId: string };

/** What a guest's frames may carry when nobody says: an Ethernet frame less the room for a VXLAN header. */
const MTU_DEFAULT = 1450;

/**
 * Makes networks, all or none.
 * @returns them in the order asked for
 * @throws ApiError 403 shared or placed on the wire by another than an admin
 */
export async function createNetworks(ctx: ActorContext, inputs: NewNetwork[]): Promise<NetworkRow[]> {
  const now = ctx.clock.nowMs();
  const rows = inputs.map((input) => {
    authorizeNetwork(ctx, input);
    return {
      id: ctx.ids.uuid(),
      region: ctx.region,
      projectId: input.projectId,
      name: input.name,
      description: input.description,
      adminStateUp: input.admin_state_up,
      shared: input.shared ?? false,
      external: input['router:external'] ?? false,
      mtu: input.mtu ?? MTU_DEFAULT,
      portSecurityEnabled: input.port_security_enabled,
      createdAtMs: now,
      updatedAtMs: now,
    };
  });
  const ids = rows.map((row) => row.id);
  const results = await commit(ctx, {
    audit: { action: 'create_network', targetType: 'network', targetId: ids[0] ?? '', detail: { ids } },
    statements: [
      ctx.db.insert(networks).values(rows),
      ...shareNew(ctx, rows),
      ...assertQuota(
        ctx,
        'network',
        rows.map(({ projectId }) => projectId),
      ),
      selectNetworks(ctx).where(inArray(networks.id, ids)),
    ],
  });
  return inOrder(results.at(-1) as NetworkRow[], ids);
}

function authorizeNetwork(ctx: ActorContext, input: NewNetwork): void {
  const target = { projectId: input.projectId };
  enforce(ctx, 'create_network', target);
  if (input.shared) enforce(ctx, 'create_network:shared', target);
  if (input['router:external']) enforce(ctx, 'create_network:router:external', target);
  const placed = [
    input['provider:network_type'],
    input['provider:physical_network'],
    input['provider:segmentation_id'],
  ];
  if (placed.some((value) => value !== undefined)) enforce(ctx, 'create_network:provider', target);
}
