import { eq } from 'drizzle-orm';
import { rbacPolicies } from '../../../db/schema/rbac.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import type { Removal } from '../api/resource-routes.ts';
import { enforce } from '../policy.ts';
import { assertDefaultForAll, assertUnused, followed, policyInUse } from './policy-change.ts';
import { showPolicy } from './policy-rows.ts';

/** Ends what a policy lets. @throws ApiError 403 not allowed, 404 not seen, 409 a project that was let in relies on it */
export async function deletePolicy(ctx: ActorContext, { id }: Removal): Promise<void> {
  const row = await showPolicy(ctx, id);
  enforce(ctx, 'delete_rbac_policy', { projectId: row.projectId });
  const { touches, statements } = followed(ctx, row);
  await commit(ctx, {
    audit: {
      action: 'delete_rbac_policy',
      targetType: 'rbac_policy',
      targetId: id,
      detail: { objectId: row.objectId },
    },
    ...(touches ? { touches } : {}),
    statements: [
      ctx.db.delete(rbacPolicies).where(eq(rbacPolicies.id, id)),
      assertUnused(ctx, row),
      assertDefaultForAll(ctx, row),
      ...statements,
    ],
  }).catch((error: unknown) => {
    throw policyInUse(error, row);
  });
}
