import { and, asc, eq, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/sqlite-core';
import { impliedRoles, roles } from '../../../db/schema/identity.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { forbidden, notFound } from '../../http/errors.ts';
import { missing } from '../http/names.ts';
import { type Action, authorize } from '../policy.ts';
import type { Revocation } from '../tokens/revocation.ts';
import { commitRevoking } from '../tokens/revoke.ts';
import type { RoleRow } from './views.ts';

/** A role (prior) and one that comes with it. */
export interface Inference {
  prior: RoleRow;
  implied: RoleRow;
}

/** Comes with no other role, or whoever may change those would be an administrator. */
const PROHIBITED_NAME = 'admin';

const prior = alias(roles, 'prior');
const implied = alias(roles, 'implied');

const selectInferences = ({ db }: ActorContext) =>
  db
    .select({ prior, implied })
    .from(impliedRoles)
    .innerJoin(prior, eq(prior.id, impliedRoles.priorRoleId))
    .innerJoin(implied, eq(implied.id, impliedRoles.impliedRoleId));

/** Each role that implies others, with those. @throws ApiError 403 */
export async function listRoleInferences(ctx: ActorContext): Promise<{ prior: RoleRow; implied: RoleRow[] }[]> {
  authorize(ctx, 'identity:list_role_inference_rules');
  const rows = await selectInferences(ctx).orderBy(asc(prior.id), asc(implied.id));
  const byPrior = Map.groupBy(rows, (row) => row.prior.id);
  return [...byPrior.values()].flatMap(([first, ...others]) =>
    first ? [{ prior: first.prior, implied: [first, ...others].map((row) => row.implied) }] : [],
  );
}

/** One role with those that it implies directly. @throws ApiError 403, 404 */
export async function listImpliedRoles(ctx: ActorContext, id: string): Promise<{ prior: RoleRow; implied: RoleRow[] }> {
  authorize(ctx, 'identity:list_implied_roles');
  const [[role], rows] = await ctx.db.batch([
    ctx.db.select().from(roles).where(eq(roles.id, id)),
    selectInferences(ctx).where(eq(prior.id, id)).orderBy(asc(implied.id)),
  ]);
  if (!role) throw missing('role', id);
  return { prior: role, implied: rows.map((row) => row.implied) };
}

async function find(
  ctx: ActorContext,
  { priorId, impliedId }: { priorId: string; impliedId: string },
  action: Action,
): Promise<Inference & { exists: boolean }> {
  authorize(ctx, action);
  const [[priorRole], [impliedRole], found] = await ctx.db.batch([
    ctx.db.select().from(roles).where(eq(roles.id, priorId)),
    ctx.db.select().from(roles).where(eq(roles.id, impliedId)),
    ctx.db
      .select()
      .from(impliedRoles)
      .where(and(eq(impliedRoles.priorRoleId, priorId), eq(impliedRoles.impliedRoleId, impliedId))),
  ]);
  if (!priorRole) throw missing('role', priorId);
  if (!impliedRole) throw missing('role', impliedId);
  return { prior: priorRole, implied: impliedRole, exists: found.length > 0 };
}

type Ids = Parameters<typeof find>[1];

const noInference = ({ priorId, impliedId }: Ids) => notFound(`${priorId} does not imply ${impliedId}.`);

/** One role as implied by another. @throws ApiError 403, 404 */
export async function findRoleInference(ctx: ActorContext, ids: Ids): Promise<Inference> {
  const found = await find(ctx, ids, 'identity:check_implied_role');
  if (!found.exists) throw noInference(ids);
  return found;
}

/** From the next log-in on one role comes with another. @throws ApiError 403 (also: it cannot be implied), 404 */
export async function createImpliedRole(ctx: ActorContext, ids: Ids): Promise<Inference> {
  const action = 'identity:create_implied_role';
  const found = await find(ctx, ids, action);
  const local = found.implied.domainId !== '' && found.prior.domainId === '';
  if (found.implied.name === PROHIBITED_NAME || local) {
    throw forbidden(`${ids.impliedId} cannot be an implied roles.`);
  }
  if (!found.exists) {
    await commit(ctx, {
      audit: { action, targetType: 'role', targetId: ids.priorId, detail: { implied: ids.impliedId } },
      statements: [
        ctx.db
          .insert(impliedRoles)
          .values({ priorRoleId: ids.priorId, impliedRoleId: ids.impliedId })
          .onConflictDoNothing(),
      ],
    });
  }
  return found;
}

/** One role comes no longer with another, which ends the tokens that have it by that. @throws ApiError 403, 404 */
export async function deleteImpliedRole(ctx: ActorContext, ids: Ids): Promise<void> {
  const action = 'identity:delete_implied_role';
  const found = await find(ctx, ids, action);
  if (!found.exists) throw noInference(ids);
  // A token does not name a domain's own role, so by that it cannot be told: all with the implied one end.
  const subject = found.prior.domainId === '' ? ids.priorId : ids.impliedId;
  const ended: Revocation = { kind: 'role', subject };
  await commitRevoking(
    ctx,
    {
      audit: { action, targetType: 'role', targetId: ids.priorId, detail: { implied: ids.impliedId } },
      statements: [
        ctx.db.run(sql`DELETE FROM implied_roles
          WHERE prior_role_id = ${ids.priorId} AND implied_role_id = ${ids.impliedId}`),
      ],
    },
    [ended],
  );
}
