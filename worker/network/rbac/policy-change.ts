import { eq, type SQL, sql } from 'drizzle-orm';
import { networks } from '../../../db/schema/network.ts';
import { AssertionFailed, assertThat, type Statement } from '../../http/commit.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import { isAdmin } from '../../http/policy.ts';
import { invalidInput } from '../api/values.ts';
import { holds, putNetworks } from '../desired/puts.ts';
import { followPolicies } from './network-sharing.ts';
import { OBJECTS } from './objects.ts';
import { EVERYONE, type PolicyRow } from './shared-with.ts';

const UNUSED = 'policy-unused';

/** @throws ApiError 400 where the actor may see the thing but neither owns it nor is an admin */
export function refuseAnothers(ctx: ActorContext, type: PolicyRow['objectType'], ownerId: string): void {
  if (isAdmin(ctx) || ownerId === ctx.actor.projectId) return;
  const what = type === 'network' ? 'networks' : 'objects';
  throw invalidInput(`Only admins can manipulate policies on ${what} they do not own`);
}

/** What a network's policies change of the network, there and on the hosts that have it; for after they are written. */
export function followed(
  ctx: Context,
  policy: Pick<PolicyRow, 'objectType' | 'objectId'>,
): { touches?: SQL; statements: Statement[] } {
  if (policy.objectType !== 'network') return { statements: [] };
  const here = holds('network', sql`${policy.objectId}`);
  return {
    touches: here,
    statements: [
      followPolicies(ctx, sql`networks.id = ${policy.objectId}`),
      ctx.db
        .update(networks)
        .set({ revision: sql`revision + 1`, updatedAtMs: ctx.clock.nowMs() })
        .where(eq(networks.id, policy.objectId)),
      putNetworks(ctx.db, sql`networks.id = ${policy.objectId} AND ${here}`),
    ],
  };
}

/** Fails the batch where a project that a policy let in, and which nothing lets in now, relies on it; for after the change. */
export function assertUnused(ctx: Context, was: PolicyRow): Statement {
  const { table, users } = OBJECTS[was.objectType];
  const whom = was.targetProject === EVERYONE ? sql`1` : sql`used.project_id = ${was.targetProject}`;
  return assertThat(
    ctx.db,
    UNUSED,
    sql`NOT EXISTS (SELECT 1 FROM (${users(was.objectId, was.action)}) used
      JOIN ${sql.identifier(table)} object ON object.id = ${was.objectId}
      WHERE ${whom} AND used.project_id <> '' AND used.project_id <> object.project_id
        AND NOT EXISTS (SELECT 1 FROM rbac_policies p WHERE p.object_id = object.id AND p.action = ${was.action}
          AND p.target_project IN (${EVERYONE}, used.project_id)))`,
  );
}

/** Fails the batch where the network that routers get without naming one would be there for some alone; for after the change. */
export const assertDefaultForAll = (ctx: Context, was: PolicyRow): Statement =>
  assertThat(
    ctx.db,
    UNUSED,
    sql`NOT EXISTS (SELECT 1 FROM networks n WHERE n.id = ${was.objectId} AND n.is_default AND ${was.action} = 'access_as_external'
      AND NOT EXISTS (SELECT 1 FROM rbac_policies p WHERE p.object_id = n.id AND p.action = ${was.action} AND p.target_project = ${EVERYONE}))`,
  );

/** What `assertUnused` and `assertDefaultForAll` mean to the client; other errors as they are. */
export function policyInUse(error: unknown, was: PolicyRow): unknown {
  if (!(error instanceof AssertionFailed) || error.assertion !== UNUSED) return error;
  return conflict(
    `RBAC policy on object ${was.objectId} cannot be removed because other objects depend on it.\nDetails: project_id=${was.targetProject}`,
    'RbacPolicyInUse',
  );
}
