import { eq, sql } from 'drizzle-orm';
import { networks } from '../../../db/schema/network.ts';
import { AssertionFailed, assertThat, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import type { Updated } from '../api/attributes.ts';
import { assertRevision, checkRevision, whileRacing } from '../api/races.ts';
import { holds, putNetworks, putPorts } from '../desired/puts.ts';
import { enforce } from '../policy.ts';
import { refuseTaking, usePolicies } from '../qos/choose-policy.ts';
import { followPolicies, setExternal, setShared } from '../rbac/network-sharing.ts';
import { sharedWith } from '../rbac/shared-with.ts';
import type { networkAttributes } from './attributes.ts';
import { type NetworkRow, selectNetworks } from './network-rows.ts';
import { showNetwork } from './show-network.ts';

export interface NetworkUpdate {
  id: string;
  changes: Updated<typeof networkAttributes>;
  expectedRevision: number | undefined;
}

const ONE_PROJECT = 'one-project';
const NO_GATEWAYS = 'no-gateways';

/**
 * Changes a network, and with it the hosts that serve it.
 * @throws ApiError 403 not allowed, 404 not seen, 409 unshared while others have ports on it, 412 another revision
 */
export function updateNetwork(ctx: ActorContext, input: NetworkUpdate): Promise<NetworkRow> {
  return whileRacing(async () => {
    const row = await showNetwork(ctx, input.id);
    const { changes } = input;
    enforce(ctx, 'update_network', { projectId: row.projectId });
    if (changes.shared !== undefined) enforce(ctx, 'update_network:shared', { projectId: row.projectId });
    const external = changes['router:external'];
    if (external !== undefined) enforce(ctx, 'update_network:router:external', { projectId: row.projectId });
    if (changes.multi_host !== undefined) enforce(ctx, 'update_network:multi_host', { projectId: row.projectId });
    if (changes.is_default !== undefined) enforce(ctx, 'update_network:is_default', { projectId: row.projectId });
    checkRevision(input.expectedRevision, row);
    await refuseTaking(ctx, row.qosPolicyId, changes.qos_policy_id);
    const governed = await usePolicies(ctx, [changes.qos_policy_id]);
    const here = holds('network', sql`${row.id}`);
    const unshares = row.shared && changes.shared === false;
    const results = await commit(ctx, {
      audit: { action: 'update_network', targetType: 'network', targetId: row.id, detail: { ...changes } },
      touches: here,
      statements: [
        assertRevision(ctx, 'networks', row),
        ...governed,
        ctx.db
          .update(networks)
          .set({
            name: changes.name ?? row.name,
            description: changes.description ?? row.description,
            adminStateUp: changes.admin_state_up ?? row.adminStateUp,
            mtu: changes.mtu ?? row.mtu,
            multiHost: changes.multi_host ?? row.multiHost,
            isDefault: changes.is_default ?? row.isDefault,
            portSecurityEnabled: changes.port_security_enabled ?? row.portSecurityEnabled,
            qosPolicyId: changes.qos_policy_id === undefined ? row.qosPolicyId : changes.qos_policy_id,
            revision: sql`revision + 1`,
            updatedAtMs: ctx.clock.nowMs(),
          })
          .where(eq(networks.id, row.id)),
        ...(changes.shared === undefined ? [] : [setShared(ctx, row, changes.shared)]),
        ...(external === undefined ? [] : [setExternal(ctx, row, external)]),
        ...(external === false ? [assertThat(ctx.db, NO_GATEWAYS, noGateways(row))] : []),
        followPolicies(ctx, sql`networks.id = ${row.id}`),
        ...(unshares ? [assertThat(ctx.db, ONE_PROJECT, onlyUsersLetIn(row))] : []),
        putNetworks(ctx.db, sql`networks.id = ${row.id} AND ${here}`),
        putPorts(ctx.db, sql`ports.network_id = ${row.id} AND ${holds('port', sql`ports.id`)}`),
        selectNetworks(ctx).where(eq(networks.id, row.id)),
      ],
    }).catch((error: unknown) => {
      if (!(error instanceof AssertionFailed)) throw error;
      if (error.assertion === NO_GATEWAYS) throw externalInUse(row.id);
      throw error.assertion === ONE_PROJECT ? sharingInUse(row) : error;
    });
    const [updated] = results.at(-1) as NetworkRow[];
    return updated ?? row;
  });
}

/** Holds where all who have ports are the owner or let in by a policy of their own. */
const onlyUsersLetIn = (row: NetworkRow) =>
  sql`NOT EXISTS (SELECT 1 FROM ports WHERE network_id = ${row.id} AND project_id <> ${row.projectId} AND project_id <> ''
    AND NOT ${sharedWith('network', sql`ports.network_id`, sql`ports.project_id`)})`;

const sharingInUse = (row: NetworkRow) =>
  conflict(
    `Unable to reconfigure sharing settings for network ${row.name}. Multiple projects are using it.`,
    'InvalidSharedSetting',
  );

/** Holds where no router has its gateway there, and no floating IP is of the network. */
const noGateways = (row: NetworkRow) =>
  sql`NOT EXISTS (SELECT 1 FROM ports WHERE network_id = ${row.id} AND device_owner IN ('network:router_gateway', 'network:floatingip'))`;

const externalInUse = (id: string) =>
  conflict(
    `External network ${id} cannot be updated to be made non-external, since it has existing gateway ports.`,
    'ExternalNetworkInUse',
  );
