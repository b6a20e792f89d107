import { and, asc, eq } from 'drizzle-orm';
import { roles } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { afterMarker, type Page } from '../http/collection.ts';
import { textFilters } from '../http/filters.ts';
import { authorize } from '../policy.ts';
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
