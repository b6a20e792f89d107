import { eq, sql } from 'drizzle-orm';
import { ports } from '../../../db/schema/network.ts';
import { floatingIps } from '../../../db/schema/routers.ts';
import { dropDesired } from '../../fleet/desired.ts';
import { AssertionFailed, assertThat, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { assertRevision, checkRevision, whileRacing } from '../api/races.ts';
import type { Removal } from '../api/resource-routes.ts';
import { enforce } from '../policy.ts';
import { inUseByForwards } from './faults.ts';
import { showFloatingIp } from './floating-ip-rows.ts';

const NO_FORWARDS = 'no-forwards';

/** Gives a floating IP back. @throws ApiError 403, 404 not seen, 409 its ports are forwarded, 412 another revision */
export function deleteFloatingIp(ctx: ActorContext, input: Removal): Promise<void> {
  return whileRacing(async () => {
    const row = await showFloatingIp(ctx, input.id);
    enforce(ctx, 'delete_floatingip', { projectId: row.projectId });
    checkRevision(input.expectedRevision, row);
    await commit(ctx, {
      audit: {
        action: 'delete_floatingip',
        targetType: 'floatingip',
        targetId: row.id,
        detail: { address: row.floatingIpAddress, portId: row.portId },
      },
      touches: sql`runners.id IN (SELECT d.runner_id FROM desired d WHERE d.kind = 'floating-ip' AND d.id = ${row.id} AND d.deleted = 0)`,
      statements: [
        assertThat(
          ctx.db,
          NO_FORWARDS,
          sql`NOT EXISTS (SELECT 1 FROM port_forwardings WHERE floating_ip_id = ${row.id})`,
        ),
        ...(input.expectedRevision === undefined ? [] : [assertRevision(ctx, 'floating_ips', row)]),
        dropDesired(ctx.db, 'floating-ip', sql`desired.id = ${row.id}`),
        ctx.db.delete(floatingIps).where(eq(floatingIps.id, row.id)),
        ctx.db.delete(ports).where(eq(ports.id, row.floatingPortId)),
      ],
    }).catch((error: unknown) => {
      throw error instanceof AssertionFailed && error.assertion === NO_FORWARDS ? inUseByForwards(row.id) : error;
    });
  });
}
