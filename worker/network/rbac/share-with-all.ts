import { rbacPolicies } from '../../../db/schema/rbac.ts';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { EVERYONE, type ObjectType, type PolicyAction, type PolicyRow } from './shared-with.ts';

/** What a policy is about, and whose it is. */
export interface Shareable {
  id: string;
  projectId: string;
}

/** A policy towards everyone. */
export const policyToAll = (
  ctx: Context,
  type: ObjectType,
  row: Shareable,
  action: PolicyAction = 'access_as_shared',
): PolicyRow => ({
  id: ctx.ids.uuid(),
  region: ctx.region,
  projectId: row.projectId,
  objectType: type,
  objectId: row.id,
  action,
  targetProject: EVERYONE,
  createdAtMs: ctx.clock.nowMs(),
});

/** A statement that shares a thing with everyone; one that is shared stays so. */
export const shareWithAll = (ctx: Context, type: ObjectType, row: Shareable, action?: PolicyAction): Statement =>
  ctx.db
    .insert(rbacPolicies)
    .values(policyToAll(ctx, type, row, action))
    .onConflictDoNothing();
