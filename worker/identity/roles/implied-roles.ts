import { and, asc, eq, inArray } from 'drizzle-orm';
import { roles } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { missing } from '../http/names.ts';
import { authorize } from '../policy.ts';
import { IMPLIED_ROLE_NAMES, IMPLIED_ROLES } from './implied.ts';
import type { RoleRow } from './views.ts';

/** Each role that implies others, with those. @throws ApiError 403 */
export async function listRoleInferences(ctx: ActorContext): Promise<{ prior: RoleRow; implied: RoleRow[] }[]> {
  authorize(ctx, 'identity:list_role_inference_rules');
  const names = Object.entries(IMPLIED_ROLES).flat();
  const rows = await ctx.db
    .select()
    .from(roles)
    .where(and(eq(roles.domainId, ''), inArray(roles.name, names)))
    .orderBy(asc(roles.id));
  return rows
    .map((prior) => ({ prior, implied: rows.filter((row) => row.name === IMPLIED_ROLES[prior.name]) }))
    .filter(({ implied }) => implied.length > 0);
}

/** One role with those that it implies directly. @throws ApiError 403, 404 */
export async function listImpliedRoles(ctx: ActorContext, id: string): Promise<{ prior: RoleRow; implied: RoleRow[] }> {
  authorize(ctx, 'identity:list_implied_roles');
  const [[prior], impliable] = await ctx.db.batch([
    ctx.db.select().from(roles).where(eq(roles.id, id)),
    ctx.db
      .select()
      .from(roles)
      .where(and(eq(roles.domainId, ''), inArray(roles.name, IMPLIED_ROLE_NAMES))),
  ]);
  if (!prior) throw missing('role', id);
  const name = prior.domainId === '' ? IMPLIED_ROLES[prior.name] : undefined;
  return { prior, implied: impliable.filter((row) => row.name === name) };
}

/** One role as implied by another. @throws ApiError 403, 404 */
export async function findRoleInference(
  ctx: ActorContext,
  priorId: string,
  impliedId: string,
): Promise<{ prior: RoleRow; implied: RoleRow }> {
  const { prior, implied } = await listImpliedRoles(ctx, priorId);
  const found = implied.find((role) => role.id === impliedId);
  if (!found) throw notFound(`${priorId} does not imply ${impliedId}.`);
  return { prior, implied: found };
}
