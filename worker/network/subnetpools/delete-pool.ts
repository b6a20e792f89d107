import { eq, sql } from 'drizzle-orm';
import { subnetpools } from '../../../db/schema/subnetpools.ts';
import { AssertionFailed, assertThat, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { checkRevision } from '../api/races.ts';
import type { Removal } from '../api/resource-routes.ts';
import { enforce } from '../policy.ts';
import { dropPolicies } from '../rbac/drop-policies.ts';
import { showPool } from './pool-rows.ts';

const UNUSED = 'pool-unused';

/** Removes a subnet pool. @throws ApiError 400 a subnet is of it, 403, 404 not seen, 412 another revision */
export async function deletePool(ctx: ActorContext, { id, expectedRevision }: Removal): Promise<void> {
  const row = await showPool(ctx, id);
  enforce(ctx, 'delete_subnetpool', { projectId: row.projectId });
  checkRevision(expectedRevision, row);
  await commit(ctx, {
    audit: { action: 'delete_subnetpool', targetType: 'subnetpool', targetId: id },
    statements: [
      assertThat(ctx.db, UNUSED, sql`NOT EXISTS (SELECT 1 FROM subnets WHERE subnetpool_id = ${id})`),
      dropPolicies(ctx, id),
      ctx.db.delete(subnetpools).where(eq(subnetpools.id, id)),
    ],
  }).catch((error: unknown) => {
    if (!(error instanceof AssertionFailed) || error.assertion !== UNUSED) throw error;
    throw badRequest('Unable to delete subnet pool: Subnet pool has existing allocations.', 'SubnetPoolDeleteError');
  });
}
