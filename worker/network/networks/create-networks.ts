import { inArray } from 'drizzle-orm';
import { networks } from '../../../db/schema/network.ts';
import { type ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import type { Created } from '../api/attributes.ts';
import { inOrder } from '../api/in-order.ts';
import { whileRacing } from '../api/races.ts';
import { cryptoRandom, type Random } from '../ipam/random.ts';
import { enforce } from '../policy.ts';
import { defaultPolicies, usePolicies } from '../qos/choose-policy.ts';
import { assertQuota } from '../quotas/assert-quota.ts';
import { shareNew } from '../rbac/network-sharing.ts';
import type { networkAttributes } from './attributes.ts';
import { type NetworkRow, selectNetworks } from './network-rows.ts';
import { isSegmentTaken, planSegment, segmentInUse, type WantedSegment } from './plan-segment.ts';

export type NewNetwork = Created<typeof networkAttributes> & { projectId: string };

/** What a guest's frames may carry when nobody says: an Ethernet frame, less the room for a VXLAN header where there is one. */
const MTU_DEFAULT = 1500;
const VXLAN_HEADER_BYTES = 50;

/**
 * Makes networks, all or none.
 * @returns them in the order asked for
 * @throws ApiError 400 a place on the wire that cannot be, 403 shared or placed there by another than an admin, 409 a place that
 *   is another network's
 */
export function createNetworks(
  ctx: ActorContext,
  inputs: NewNetwork[],
  random: Random = cryptoRandom,
): Promise<NetworkRow[]> {
  for (const input of inputs) authorizeNetwork(ctx, input);
  return whileRacing(() => attempt(ctx, inputs, random));
}

async function attempt(ctx: ActorContext, inputs: NewNetwork[], random: Random): Promise<NetworkRow[]> {
  const now = ctx.clock.nowMs();
  const defaults = inputs.some((input) => input.qos_policy_id === undefined) ? await defaultPolicies(ctx) : new Map();
  const rows = inputs.map((input) => {
    const segment = planSegment(wantedSegment(input), random);
    const overhead = segment.networkType === 'vxlan' ? VXLAN_HEADER_BYTES : 0;
    return {
      id: ctx.ids.uuid(),
      region: ctx.region,
      projectId: input.projectId,
      name: input.name,
      description: input.description,
      adminStateUp: input.admin_state_up,
      shared: input.shared ?? false,
      external: input['router:external'] ?? false,
      ...segment,
      mtu: input.mtu ?? MTU_DEFAULT - overhead,
      multiHost: input.multi_host ?? (input.shared === true && !input['router:external']),
      isDefault: input.is_default ?? false,
      portSecurityEnabled: input.port_security_enabled,
      qosPolicyId: input.qos_policy_id === undefined ? (defaults.get(input.projectId) ?? null) : input.qos_policy_id,
      createdAtMs: now,
      updatedAtMs: now,
    };
  });
  const ids = rows.map((row) => row.id);
  const governed = await usePolicies(
    ctx,
    inputs.map((input) => input.qos_policy_id),
  );
  const results = await commit(ctx, {
    audit: { action: 'create_network', targetType: 'network', targetId: ids[0] ?? '', detail: { ids } },
    statements: [
      ...governed,
      ctx.db.insert(networks).values(rows),
      ...shareNew(ctx, rows),
      ...assertQuota(
        ctx,
        'network',
        rows.map(({ projectId }) => projectId),
      ),
      selectNetworks(ctx).where(inArray(networks.id, ids)),
    ],
  }).catch((error: unknown) => {
    throw isSegmentTaken(error) ? takenSegment(error, inputs) : error;
  });
  return inOrder(results.at(-1) as NetworkRow[], ids);
}

const wantedSegment = (input: NewNetwork): WantedSegment => ({
  type: input['provider:network_type'],
  physicalNetwork: input['provider:physical_network'],
  id: input['provider:segmentation_id'],
});

/** An id that was picked is picked again; a place that the client named is the client's to change. */
function takenSegment(error: ConstraintFailed, inputs: NewNetwork[]): Error {
  const named = inputs.map(wantedSegment).find(({ type, id }) => type === 'flat' || typeof id === 'number');
  return named ? segmentInUse(named) : error;
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
  if (input.multi_host !== undefined) enforce(ctx, 'create_network:multi_host', target);
  if (input.is_default !== undefined) enforce(ctx, 'create_network:is_default', target);
  if (placed.some((value) => value !== undefined)) enforce(ctx, 'create_network:provider', target);
}
