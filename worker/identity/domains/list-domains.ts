import { and, asc, eq } from 'drizzle-orm';
import { domains } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { given } from '../../http/given.ts';
import { afterMarker, type Page } from '../http/collection.ts';
import { enabledFilter, textFilters } from '../http/filters.ts';
import { authorize } from '../policy.ts';
import type { DomainRow } from './views.ts';

/** The domains the query asks for; with a token of a domain only that one. @throws ApiError 403 */
export async function listDomains(
  ctx: ActorContext,
  { query, page }: { query: URLSearchParams; page: Page },
): Promise<DomainRow[]> {
  const own = ctx.actor.domainId;
  authorize(ctx, 'identity:list_domains', given({ domainId: own ?? undefined }));
  return ctx.db
    .select()
    .from(domains)
    .where(
      and(
        own === null ? undefined : eq(domains.id, own),
        enabledFilter(query, domains.enabled),
        ...textFilters(query, 'name', domains.name),
        afterMarker(domains.id, page),
      ),
    )
    .orderBy(asc(domains.id))
    .limit(page.limit + 1);
}
