import { eq, sql } from 'drizzle-orm';
import { ports } from '../../../db/schema/network.ts';
import { routers } from '../../../db/schema/routers.ts';
import { AssertionFailed, assertThat, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { assertRevision, checkRevision, whileRacing } from '../api/races.ts';
import type { Removal } from '../api/resource-routes.ts';
import { enforce } from '../policy.ts';
import { routerInUse } from './faults.ts';
import { showRouter } from './router-rows.ts';

const NO_INTERFACES = 'no-interfaces';

/** Removes a router with its gateway. @throws ApiError 403, 404 not seen, 409 it has interfaces, 412 another revision */
export function deleteRouter(ctx: ActorContext, input: Removal): Promise<void> {
  return whileRacing(async () => {
    const row = await showRouter(ctx, input.id);
    enforce(ctx, 'delete_router', { projectId: row.projectId });
    checkRevision(input.expectedRevision, row);
    const unused = sql`NOT EXISTS (SELECT 1 FROM ports WHERE device_id = ${row.id} AND device_owner = 'network:router_interface')
      AND NOT EXISTS (SELECT 1 FROM floating_ips WHERE router_id = ${row.id})`;
    await commit(ctx, {
      audit: { action: 'delete_router', targetType: 'router', targetId: row.id },
      statements: [
        assertThat(ctx.db, NO_INTERFACES, unused),
        assertRevision(ctx, 'routers', row),
        ctx.db.delete(ports).where(sql`device_id = ${row.id} AND device_owner = 'network:router_gateway'`),
        ctx.db.delete(routers).where(eq(routers.id, row.id)),
      ],
    }).catch((error: unknown) => {
      throw error instanceof AssertionFailed && error.assertion === NO_INTERFACES ? routerInUse(row.id) : error;
    });
  });
}
