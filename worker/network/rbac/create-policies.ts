import { inArray, sql } from 'drizzle-orm';
import { rbacPolicies } from '../../../db/schema/rbac.ts';
import { ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, conflict } from '../../http/errors.ts';
import { inOrder } from '../api/in-order.ts';
import { assertUnchanged, whileRacing } from '../api/races.ts';
import type { New } from '../api/resource-routes.ts';
import { invalidInput } from '../api/values.ts';
import { visibleOf } from '../api/visibility.ts';
import { enforce } from '../policy.ts';
import { assertQuota } from '../quotas/assert-quota.ts';
import type { policyAttributes } from './attributes.ts';
import { OBJECTS } from './objects.ts';
import { followed, refuseAnothers } from './policy-change.ts';
import { EVERYONE, type PolicyAction, type PolicyRow, sharedWith } from './shared-with.ts';

type NewPolicy = New<typeof policyAttributes>;

/**
 * Lets others use things, all or none.
 * @returns the policies in the order asked for
 * @throws ApiError 400 an action that the type does not have, or another's thing; 403 everyone, by other than an admin; 404 no
 *   such thing; 409 such a policy is there, or the quota
 */
export function createPolicies(ctx: ActorContext, inputs: NewPolicy[]): Promise<PolicyRow[]> {
  return whileRacing(async () => {
    const rows: PolicyRow[] = [];
    for (const input of inputs) rows.push(await newPolicy(ctx, input));
    const ids = rows.map((row) => row.id);
    const changes = rows.map((row) => followed(ctx, row));
    const touches = changes.flatMap((change) => change.touches ?? []);
    const results = await commit(ctx, {
      audit: { action: 'create_rbac_policy', targetType: 'rbac_policy', targetId: ids[0] ?? '', detail: { ids } },
      ...(touches.length > 0 ? { touches: sql`(${sql.join(touches, sql` OR `)})` } : {}),
      statements: [
        ...rows.map((row) => assertUnchanged(ctx, stillThere(row))),
        ctx.db.insert(rbacPolicies).values(rows),
        ...assertQuota(
          ctx,
          'rbac_policy',
          rows.map(({ projectId }) => projectId),
        ),
        ...changes.flatMap((change) => change.statements),
        ctx.db.select().from(rbacPolicies).where(inArray(rbacPolicies.id, ids)),
      ],
    }).catch((error: unknown) => {
      throw duplicate(error) ?? error;
    });
    return inOrder(results.at(-1) as PolicyRow[], ids);
  });
}

async function newPolicy(ctx: ActorContext, input: NewPolicy): Promise<PolicyRow> {
  const { object_type: type, object_id: objectId, target_tenant: targetProject } = input;
  enforce(ctx, 'create_rbac_policy', { projectId: input.projectId });
  if (targetProject === EVERYONE) enforce(ctx, 'create_rbac_policy:wildcard');
  const action = actionOf(type, input.action);
  const { table, notFound } = OBJECTS[type];
  const [object] = await ctx.db.all<{ project_id: string }>(
    sql`SELECT project_id FROM ${sql.identifier(table)} WHERE id = ${objectId} AND ${visibleOf(ctx, type)}`,
  );
  if (!object) throw notFound(objectId);
  refuseAnothers(ctx, type, object.project_id);
  if (type === 'subnetpool') await requireScope(ctx, objectId, targetProject);
  return {
    id: ctx.ids.uuid(),
    region: ctx.region,
    projectId: input.projectId,
    objectType: type,
    objectId,
    action,
    targetProject,
    createdAtMs: ctx.clock.nowMs(),
  };
}

/** @throws ApiError 400 a pool of an address scope that who is let in may not use */
async function requireScope(ctx: ActorContext, poolId: string, target: string): Promise<void> {
  const scope = sql`s.id = (SELECT address_scope_id FROM subnetpools WHERE id = ${poolId})`;
  const mayUse = sql`(s.project_id = ${target} OR ${sharedWith('address_scope', sql`s.id`, sql`${target}`)})`;
  const [barred] = await ctx.db.all(sql`SELECT 1 FROM address_scopes s WHERE ${scope} AND NOT ${mayUse}`);
  if (barred) throw invalidInput(`Project ${target} may not use the address scope of subnet pool ${poolId}`);
}

function actionOf(type: PolicyRow['objectType'], sent: string): PolicyAction {
  const { actions } = OBJECTS[type];
  const action = actions.find((one) => one === sent);
  if (action) return action;
  throw badRequest(
    `Invalid action '${sent}' for object type '${type}'. Valid actions: ${actions.join(', ')}`,
    'InvalidActionForType',
  );
}

/** The thing is not removed meanwhile: nobody would take its policies away. */
const stillThere = (row: PolicyRow) =>
  sql`EXISTS (SELECT 1 FROM ${sql.identifier(OBJECTS[row.objectType].table)} WHERE id = ${row.objectId})`;

/** A policy like it is there; undefined for other errors. */
export function duplicate(error: unknown): Error | undefined {
  if (!(error instanceof ConstraintFailed) || !error.constraint.includes('rbac_policies.')) return undefined;
  return conflict('An RBAC policy already exists with those values.', 'DuplicateRbacPolicy');
}
