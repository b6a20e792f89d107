import { and, eq, type SQL, sql } from 'drizzle-orm';
import { rbacPolicies } from '../../../db/schema/rbac.ts';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { byText } from '../api/filters.ts';
import type { Listing, ListQuery } from '../api/listing.ts';
import { ownOrAll } from '../api/visibility.ts';
import type { PolicyRow } from './shared-with.ts';

const visible = (ctx: ActorContext): SQL => ownOrAll(ctx, 'get_rbac_policy', 'rbac_policies');

/** A page of the policies that the actor made; for an admin of all. */
export function listPolicies(ctx: ActorContext, query: ListQuery): Promise<PolicyRow[]> {
  return ctx.db
    .select()
    .from(rbacPolicies)
    .where(and(visible(ctx), query.where))
    .orderBy(...query.orderBy)
    .limit(query.limit);
}

/** One policy. @throws ApiError 404 where there is none that the actor sees */
export async function showPolicy(ctx: ActorContext, id: string): Promise<PolicyRow> {
  const [row] = await ctx.db
    .select()
    .from(rbacPolicies)
    .where(and(eq(rbacPolicies.id, id), visible(ctx)));
  if (!row) throw notFound(`RBAC policy of type unknown with ID ${id} not found`, 'RbacPolicyNotFound');
  return row;
}

/** A policy in the API's form. */
export const policyView = (_ctx: ActorContext, row: PolicyRow) => ({
  id: row.id,
  project_id: row.projectId,
  tenant_id: row.projectId,
  object_type: row.objectType,
  object_id: row.objectId,
  action: row.action,
  target_tenant: row.targetProject,
});

/** How policies are filtered and sorted. */
export const policyListing: Listing = {
  table: 'rbac_policies',
  filters: {
    id: byText(rbacPolicies.id),
    project_id: byText(rbacPolicies.projectId),
    tenant_id: byText(rbacPolicies.projectId),
    object_type: byText(rbacPolicies.objectType),
    object_id: byText(rbacPolicies.objectId),
    action: byText(rbacPolicies.action),
    target_tenant: byText(rbacPolicies.targetProject),
  },
  sortKeys: {
    id: sql`rbac_policies.id`,
    project_id: sql`rbac_policies.project_id`,
    tenant_id: sql`rbac_policies.project_id`,
    object_type: sql`rbac_policies.object_type`,
    object_id: sql`rbac_policies.object_id`,
    action: sql`rbac_policies.action`,
    target_tenant: sql`rbac_policies.target_project`,
  },
};
