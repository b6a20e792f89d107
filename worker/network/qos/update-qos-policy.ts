import { and, eq, sql } from 'drizzle-orm';
import { qosPolicies } from '../../../db/schema/qos.ts';
import { rbacPolicies } from '../../../db/schema/rbac.ts';
import { commit, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { assertRevision, checkRevision, whileRacing } from '../api/races.ts';
import type { Update } from '../api/resource-routes.ts';
import { enforce } from '../policy.ts';
import { assertUnused, policyInUse } from '../rbac/policy-change.ts';
import { policyToAll, shareWithAll } from '../rbac/share-with-all.ts';
import { EVERYONE } from '../rbac/shared-with.ts';
import type { qosPolicyAttributes } from './attributes.ts';
import { secondDefault } from './default-policy.ts';
import { type QosPolicyRow, selectQosPolicies, showQosPolicy } from './qos-rows.ts';

/** Renames, describes or shares a policy, or makes it the project's default. @throws ApiError 403, 404, 409 a second default, or
 * unshared while another project relies on it, 412 another revision */
export function updateQosPolicy(
  ctx: ActorContext,
  { id, changes, expectedRevision }: Update<typeof qosPolicyAttributes>,
): Promise<QosPolicyRow> {
  return whileRacing(async () => {
    const row = await showQosPolicy(ctx, id);
    enforce(ctx, 'update_policy', { projectId: row.projectId });
    checkRevision(expectedRevision, row);
    const toAll = policyToAll(ctx, 'qos_policy', row);
    const results = await commit(ctx, {
      audit: { action: 'update_policy', targetType: 'qos_policy', targetId: id, detail: { ...changes } },
      statements: [
        assertRevision(ctx, 'qos_policies', row),
        ctx.db
          .update(qosPolicies)
          .set({
            name: changes.name ?? row.name,
            description: changes.description ?? row.description,
            isDefault: changes.is_default ?? row.isDefault,
            revision: sql`revision + 1`,
            updatedAtMs: ctx.clock.nowMs(),
          })
          .where(eq(qosPolicies.id, id)),
        ...(changes.shared === true ? [shareWithAll(ctx, 'qos_policy', row)] : []),
        ...(changes.shared === false ? [unshare(ctx, id), assertUnused(ctx, toAll)] : []),
        selectQosPolicies(ctx).where(eq(qosPolicies.id, id)),
      ],
    }).catch((error: unknown) => {
      throw policyInUse(secondDefault(error, row.projectId), toAll);
    });
    return (results.at(-1) as QosPolicyRow[])[0] ?? row;
  });
}

const unshare = (ctx: ActorContext, id: string): Statement =>
  ctx.db.delete(rbacPolicies).where(and(eq(rbacPolicies.objectId, id), eq(rbacPolicies.targetProject, EVERYONE)));
