import { and, asc, eq, inArray } from 'drizzle-orm';
import { roles } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { afterMarker, type Page } from '../http/collection.ts';
import { textFilters } from '../http/filters.ts';
import { missing } from '../http/names.ts';
import { authorize } from '../policy.ts';
import { IMPLIED_ROLE_NAMES, IMPLIED_ROLES } from './implied.ts';
import type { RoleRow } from './views.ts';

/** The global roles, or those of the domain that the query names. @throws ApiError 403 */
export async function listRoles(
  ctx: ActorContext,
  { query, page }: { query: URLSearchParams; page: Page },
): Promise<RoleRow[]> {
  const domainId = query.get('domain_id') ?? '';
  authorize(ctx, domainId === '' ? 'identity:list_roles' : 'identity:list_domain_roles');
  return ctx.db
    .select()
    .from(roles)
    .where(and(eq(roles.domainId, domainId), ...textFilters(query, 'name', roles.name), afterMarker(roles.id, page)))
    .orderBy(asc(roles.id))
    .limit(page.limit + 1);
}

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
