import { eq, sql } from 'drizzle-orm';
import { rbacPolicies } from '../../../db/schema/rbac.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { assertUnchanged, whileRacing } from '../api/races.ts';
import type { Update } from '../api/resource-routes.ts';
import { enforce } from '../policy.ts';
import type { policyAttributes } from './attributes.ts';
import { duplicate } from './create-policies.ts';
import { OBJECTS } from './objects.ts';
import { assertDefaultForAll, assertUnused, followed, policyInUse, refuseAnothers } from './policy-change.ts';
import { showPolicy } from './policy-rows.ts';
import { EVERYONE, type PolicyRow } from './shared-with.ts';

/**
 * Gives a policy another target.
 * @throws ApiError 400 another's thing, 403 everyone, by other than an admin; 404 not seen; 409 such a policy is there, or the
 *   project that was let in relies on it
 */
export function updatePolicy(ctx: ActorContext, { id, changes }: Update<typeof policyAttributes>): Promise<PolicyRow> {
  return whileRacing(async () => {
    const row = await showPolicy(ctx, id);
    enforce(ctx, 'update_rbac_policy', { projectId: row.projectId });
    const targetProject = changes.target_tenant ?? row.targetProject;
    if (targetProject === EVERYONE) enforce(ctx, 'update_rbac_policy:wildcard');
    const { table } = OBJECTS[row.objectType];
    const [object] = await ctx.db.all<{ project_id: string }>(
      sql`SELECT project_id FROM ${sql.identifier(table)} WHERE id = ${row.objectId}`,
    );
    refuseAnothers(ctx, row.objectType, object?.project_id ?? '');
    const { touches, statements } = followed(ctx, row);
    const results = await commit(ctx, {
      audit: { action: 'update_rbac_policy', targetType: 'rbac_policy', targetId: id, detail: { targetProject } },
      ...(touches ? { touches } : {}),
      statements: [
        assertUnchanged(ctx, unchanged(row)),
        ctx.db.update(rbacPolicies).set({ targetProject }).where(eq(rbacPolicies.id, id)),
        assertDefaultForAll(ctx, row),
        assertUnused(ctx, row),
        ...statements,
        ctx.db.select().from(rbacPolicies).where(eq(rbacPolicies.id, id)),
      ],
    }).catch((error: unknown) => {
      throw duplicate(error) ?? policyInUse(error, row);
    });
    const [updated] = results.at(-1) as PolicyRow[];
    return updated ?? row;
  });
}

const unchanged = (row: PolicyRow) =>
  sql`EXISTS (SELECT 1 FROM rbac_policies WHERE id = ${row.id} AND target_project = ${row.targetProject})`;
