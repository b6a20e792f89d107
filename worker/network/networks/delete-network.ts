import { eq, sql } from 'drizzle-orm';
import { networks, subnets } from '../../../db/schema/network.ts';
import { floatingIps } from '../../../db/schema/routers.ts';
import { dropDesired } from '../../fleet/desired.ts';
import { AssertionFailed, assertThat, commit, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import { assertRevision, checkRevision, whileRacing } from '../api/races.ts';
import { holds } from '../desired/puts.ts';
import { enforce } from '../policy.ts';
import { dropPolicies } from '../rbac/drop-policies.ts';
import { showNetwork } from './show-network.ts';

const NO_PORTS = 'no-ports';

/**
 * Removes a network with its subnets, and with the floating IPs on it that lead nowhere.
 * @throws ApiError 403 not allowed, 404 not seen, 409 ports on it, 412 another revision
 */
export function deleteNetwork(
  ctx: ActorContext,
  input: { id: string; expectedRevision: number | undefined },
): Promise<void> {
  return whileRacing(async () => {
    const row = await showNetwork(ctx, input.id);
    enforce(ctx, 'delete_network', { projectId: row.projectId });
    checkRevision(input.expectedRevision, row);
    await commit(ctx, {
      audit: { action: 'delete_network', targetType: 'network', targetId: row.id },
      touches: holds('network', sql`${row.id}`),
      statements: [
        ...(input.expectedRevision === undefined ? [] : [assertRevision(ctx, 'networks', row)]),
        ...dropIdleFloatingIps(ctx, row.id),
        assertThat(ctx.db, NO_PORTS, sql`NOT EXISTS (SELECT 1 FROM ports WHERE network_id = ${row.id})`),
        dropDesired(ctx.db, 'network', sql`id = ${row.id}`),
        ctx.db.delete(subnets).where(eq(subnets.networkId, row.id)),
        dropPolicies(ctx, row.id),
        ctx.db.delete(networks).where(eq(networks.id, row.id)),
      ],
    }).catch((error: unknown) => {
      throw error instanceof AssertionFailed && error.assertion === NO_PORTS ? networkInUse(row.id) : error;
    });
  });
}

function dropIdleFloatingIps(ctx: ActorContext, networkId: string): Statement[] {
  const idle = sql`floating_network_id = ${networkId} AND port_id IS NULL
    AND NOT EXISTS (SELECT 1 FROM port_forwardings f WHERE f.floating_ip_id = floating_ips.id)`;
  return [
    ctx.db.delete(floatingIps).where(idle),
    ctx.db.run(sql`
      DELETE FROM ports WHERE network_id = ${networkId} AND device_owner = 'network:floatingip'
        AND NOT EXISTS (SELECT 1 FROM floating_ips WHERE floating_ips.floating_port_id = ports.id)`),
  ];
}

const networkInUse = (id: string) =>
  conflict(
    `Unable to complete operation on network ${id}. There are one or more ports still in use on the network.`,
    'NetworkInUse',
  );
