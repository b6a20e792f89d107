import { eq, sql } from 'drizzle-orm';
import { trusts } from '../../../db/schema/delegation.ts';
import { projects, roles, users } from '../../../db/schema/identity.ts';
import { AssertionFailed, assertThat, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { forbiddenAction } from '../http/forbidden-action.ts';
import { missing } from '../http/names.ts';
import { authorize } from '../policy.ts';
import type { RoleRow } from '../roles/views.ts';
import { rolesOnProject } from '../tokens/rights.ts';
import { readTrust, refuseApplicationCredentials, type Trust } from './read-trust.ts';
import { depthOf, requireWithin } from './redelegation.ts';
import type { TrustToCreate } from './trust-body.ts';
import type { TrustRow } from './views.ts';

/**
 * Lets the trustee do on a project what the trustor, who must be the one that asks, may do there.
 * @throws ApiError 400, 403, 404 (no such trustee or project, or a role that the trustor has not)
 */
export async function createTrust(
  ctx: ActorContext,
  input: TrustToCreate,
): Promise<{ row: TrustRow; roles: RoleRow[] }> {
  const { db, actor } = ctx;
  const action = 'identity:create_trust';
  const { projectId, trustorUserId, trusteeUserId } = input;
  authorize(ctx, action, { trustorId: trustorUserId });
  refuseApplicationCredentials(ctx);
  if (projectId !== null && input.roles.length === 0) throw forbiddenAction('At least one role should be specified');
  if (input.expiresAtMs !== null && input.expiresAtMs <= ctx.clock.nowMs()) {
    throw badRequest('The given time is in the past.');
  }
  const parent = actor.delegation && (await parentTrust(ctx, actor.delegation.id));
  const grantorId = parent ? (parent.above.at(-1) ?? parent.row).trustorUserId : trustorUserId;
  const [trustees, places, known, held] = await db.batch([
    db.select({ id: users.id }).from(users).where(eq(users.id, trusteeUserId)),
    db
      .select({ id: projects.id })
      .from(projects)
      .where(eq(projects.id, projectId ?? '')),
    db.select().from(roles).where(isNamed(input.roles)),
    rolesOnProject(db, grantorId, projectId ?? ''),
  ]);
  if (trustees.length === 0) throw missing('user', trusteeUserId);
  if (projectId !== null && places.length === 0) throw missing('project', projectId);
  for (const role of input.roles) {
    const found = known.find((one) => ('id' in role ? one.id === role.id : one.name === role.name));
    if (!found || !held.some(({ id }) => id === found.id)) throw missing('role', 'id' in role ? role.id : role.name);
  }
  if (parent) requireWithin(parent, input, known);
  const id = ctx.ids.hex();
  const row = {
    id,
    trustorUserId,
    trusteeUserId,
    projectId,
    impersonation: input.impersonation,
    expiresAtMs: input.expiresAtMs ?? parent?.row.expiresAtMs ?? null,
    remainingUses: input.remainingUses,
    redelegatedTrustId: parent?.row.id ?? null,
    redelegationCount: depthOf(input, parent),
    roleIds: known.map((role) => role.id),
    createdAtMs: ctx.clock.nowMs(),
    ...(input.extra ? { extra: input.extra } : {}),
  };
  const results = await commit(ctx, {
    audit: { action, targetType: 'trust', targetId: id, detail: { trusteeUserId, projectId } },
    statements: [
      assertThat(
        db,
        'project',
        projectId === null ? sql`1` : sql`EXISTS (SELECT 1 FROM projects WHERE id = ${projectId})`,
      ),
      db.insert(trusts).values(row).returning(),
    ],
  }).catch((error: unknown) => {
    throw error instanceof AssertionFailed ? missing('project', projectId ?? '') : error;
  });
  return { row: (results[1] as TrustRow[])[0] as TrustRow, roles: known };
}

/** The trust that the token was had by. */
async function parentTrust(ctx: ActorContext, id: string): Promise<Trust> {
  const trust = await readTrust(ctx, id);
  if (!trust) throw missing('trust', id);
  return trust;
}

function isNamed(wanted: TrustToCreate['roles']) {
  const ids = JSON.stringify(wanted.flatMap((role) => ('id' in role ? [role.id] : [])));
  const names = JSON.stringify(wanted.flatMap((role) => ('name' in role ? [role.name] : [])));
  return sql`id IN (SELECT value FROM json_each(${ids}))
    OR (domain_id = '' AND name IN (SELECT value FROM json_each(${names})))`;
}
