import { eq, sql } from 'drizzle-orm';
import { type FlavorSnapshot, servers } from '../../../db/schema/compute.ts';
import { admitResize, resizeReads } from '../../billing/admission/admit-resize.ts';
import { AssertionFailed, runBatch } from '../../http/commit.ts';
import type { ActorContext, ProjectContext } from '../../http/context.ts';
import { ApiError, badRequest } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { findFlavor } from '../flavors/find-flavor.ts';
import { snapshotOf } from '../flavors/flavor-snapshot.ts';
import type { FlavorRow } from '../flavors/views.ts';
import { policy } from '../policy.ts';
import { assertQuota, overrunOf, QUOTA } from '../quotas/usage.ts';
import { findServer } from '../servers/find-server.ts';
import { type Allowed, invalidState } from '../servers/transition.ts';
import { beginMove } from './begin-move.ts';

const ACTION = 'os_compute_api:servers:resize';
const ALLOWED: Allowed = { vmStates: ['active', 'stopped'], launched: true };

/**
 * Gives a server another flavor, on its own host or another. It then waits to be confirmed, with its old disk kept.
 * @throws ApiError 400 no such flavor, the same, one that does not fit, or no host; 403 over the quota, or nobody could pay for it; 404; 409
 */
export async function resizeServer(
  ctx: ActorContext,
  id: string,
  flavorRef: string,
  diskConfig?: 'AUTO' | 'MANUAL',
): Promise<void> {
  authorize(ctx, policy, ACTION);
  const flavorName = sql`(SELECT name FROM flavors WHERE id = ${flavorRef} AND region = ${ctx.region})`;
  const [row, offers] = await Promise.all([findServer(ctx, id), runBatch(ctx.db, resizeReads(ctx, id, flavorName))]);
  if (row.lockedBy === null && (!ALLOWED.vmStates.includes(row.vmState) || row.taskState !== null))
    throw invalidState('resize', row, ALLOWED);
  const flavor = await findFlavor(ctx, flavorRef).catch((error: unknown) => {
    throw error instanceof ApiError && error.status === 404 ? badRequest(error.message) : error;
  });
  check(row.flavor, flavor);
  const more = {
    instances: 0,
    cores: Math.max(0, flavor.vcpus - row.flavor.vcpus),
    ram: Math.max(0, flavor.ramMib - row.flavor.ramMib),
  };
  // The quota is that of whom the server belongs to.
  const owner = { ...ctx, actor: { ...ctx.actor, projectId: row.projectId, userId: row.userId } } as ProjectContext;
  const grows = more.cores > 0 || more.ram > 0;
  try {
    await beginMove(ctx, id, {
      verb: 'resize',
      policyAction: ACTION,
      allowed: ALLOWED,
      type: 'resize',
      action: 'resize',
      task: 'resize_prep',
      status: 'pre-migrating',
      host: null,
      sameHost: true,
      flavor: snapshotOf(flavor),
      also: [
        ...(grows ? [assertQuota(owner, more)] : []),
        ...admitResize(ctx, row, offers),
        ...(diskConfig ? [ctx.db.update(servers).set({ diskConfig }).where(eq(servers.id, id))] : []),
      ],
    });
  } catch (error) {
    if (!(error instanceof AssertionFailed && error.assertion === QUOTA)) throw error;
    throw (await overrunOf(owner, more, 1)).refusal;
  }
}

function check(old: FlavorSnapshot, flavor: FlavorRow): void {
  if (flavor.id === old.id) throw badRequest('When resizing, instances must change flavor!');
  if (flavor.ephemeralGib > 0 || flavor.swapMib > 0) {
    throw badRequest(
      `Flavor ${flavor.id} has an ephemeral or a swap disk, which no host here makes: choose one without.`,
    );
  }
  if (flavor.diskGib === 0 && old.diskGib > 0) throw badRequest('Resize to zero disk flavor is not allowed.');
  if (flavor.diskGib < old.diskGib) {
    throw badRequest(
      `The flavor's disk of ${flavor.diskGib} GiB is smaller than the server's of ${old.diskGib} GiB: disks are not made smaller.`,
    );
  }
}
