import { eq, sql } from 'drizzle-orm';
import { networks, subnets } from '../../../db/schema/network.ts';
import { AssertionFailed, assertThat, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import { assertRevision, checkRevision, whileRacing } from '../api/races.ts';
import { holds, putNetworks } from '../desired/puts.ts';
import { enforce } from '../policy.ts';
import { leaveOld } from './ports-that-follow.ts';
import { showSubnet } from './show-subnet.ts';

const NO_ADDRESSES = 'no-addresses';

/**
 * Removes a subnet.
 * @throws ApiError 403 not allowed, 404 not seen, 409 a port has an address of it, 412 another revision
 */
export function deleteSubnet(
  ctx: ActorContext,
  input: { id: string; expectedRevision: number | undefined },
): Promise<void> {
  return whileRacing(async () => {
    const row = await showSubnet(ctx, input.id);
    enforce(ctx, 'delete_subnet', { projectId: row.networkProjectId });
    checkRevision(input.expectedRevision, row);
    const here = holds('network', sql`${row.networkId}`);
    const followed = leaveOld(ctx, row);
    await commit(ctx, {
      audit: { action: 'delete_subnet', targetType: 'subnet', targetId: row.id },
      touches: sql`(${here} OR ${followed.touches})`,
      statements: [
        ...(input.expectedRevision === undefined ? [] : [assertRevision(ctx, 'subnets', row)]),
        ...followed.statements,
        assertThat(ctx.db, NO_ADDRESSES, sql`NOT EXISTS (SELECT 1 FROM ip_allocations WHERE subnet_id = ${row.id})`),
        ctx.db.delete(subnets).where(eq(subnets.id, row.id)),
        ctx.db
          .update(networks)
          .set({ revision: sql`revision + 1`, updatedAtMs: ctx.clock.nowMs() })
          .where(eq(networks.id, row.networkId)),
        putNetworks(ctx.db, sql`networks.id = ${row.networkId} AND ${here}`),
      ],
    }).catch((error: unknown) => {
      throw error instanceof AssertionFailed && error.assertion === NO_ADDRESSES ? subnetInUse(row.id) : error;
    });
  });
}

const subnetInUse = (id: string) =>
  conflict(
    `Unable to complete operation on subnet ${id}: One or more ports have an IP allocation from this subnet.`,
    'SubnetInUse',
  );
