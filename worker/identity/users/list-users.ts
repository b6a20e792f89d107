import { and, asc, eq } from 'drizzle-orm';
import { users } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { given } from '../../http/given.ts';
import { linkFilter } from '../federation/links.ts';
import { afterMarker, type Page } from '../http/collection.ts';
import { enabledFilter, textFilters } from '../http/filters.ts';
import { authorize } from '../policy.ts';
import type { UserRow } from './views.ts';

/** The users the query asks for; with a token of a domain only its own. @throws ApiError 403 */
export async function listUsers(
  ctx: ActorContext,
  { query, page }: { query: URLSearchParams; page: Page },
): Promise<UserRow[]> {
  const own = ctx.actor.domainId;
  authorize(ctx, 'identity:list_users', given({ domainId: own ?? undefined }));
  return ctx.db
    .select()
    .from(users)
    .where(
      and(
        own === null ? undefined : eq(users.domainId, own),
        enabledFilter(query, users.enabled),
        ...textFilters(query, 'name', users.name),
        ...textFilters(query, 'domain_id', users.domainId),
        linkFilter(query),
        afterMarker(users.id, page),
      ),
    )
    .orderBy(asc(users.id))
    .limit(page.limit + 1);
}
