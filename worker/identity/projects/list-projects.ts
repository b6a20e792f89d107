import { and, asc, eq, isNull, or, type SQL, sql } from 'drizzle-orm';
import { domains, projects } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { given } from '../../http/given.ts';
import type { DomainRow } from '../domains/views.ts';
import { afterMarker, type Page } from '../http/collection.ts';
import { enabledFilter, isTrue, textFilters } from '../http/filters.ts';
import { authorize } from '../policy.ts';
import type { ProjectRow } from './views.ts';

/** The projects the query asks for, or with `is_domain` the domains; with a token of a domain only its own. @throws ApiError 403 */
export async function listProjects(
  ctx: ActorContext,
  { query, page }: { query: URLSearchParams; page: Page },
): Promise<{ projects: ProjectRow[] } | { domains: DomainRow[] }> {
  const own = ctx.actor.domainId;
  authorize(ctx, 'identity:list_projects', given({ domainId: own ?? undefined }));
  const isDomain = query.get('is_domain');
  if (isDomain !== null && isTrue(isDomain)) {
    const hidden = own !== null || query.has('domain_id') || query.has('parent_id');
    return { domains: hidden ? [] : await listAsProjects(ctx, query, page) };
  }
  const rows = await ctx.db
    .select()
    .from(projects)
    .where(
      and(
        own === null ? undefined : eq(projects.domainId, own),
        ...projectFilters(query),
        ...parentFilter(query.get('parent_id')),
        ...tagFilters(query),
        afterMarker(projects.id, page),
      ),
    )
    .orderBy(asc(projects.id))
    .limit(page.limit + 1);
  return { projects: rows };
}

function listAsProjects({ db }: ActorContext, query: URLSearchParams, page: Page): Promise<DomainRow[]> {
  return db
    .select()
    .from(domains)
    .where(
      and(
        enabledFilter(query, domains.enabled),
        ...textFilters(query, 'name', domains.name),
        afterMarker(domains.id, page),
      ),
    )
    .orderBy(asc(domains.id))
    .limit(page.limit + 1);
}

/** The filters that all lists of projects take. */
export function projectFilters(query: URLSearchParams): (SQL | undefined)[] {
  return [
    enabledFilter(query, projects.enabled),
    ...textFilters(query, 'name', projects.name),
    ...textFilters(query, 'domain_id', projects.domainId),
  ];
}

/** The children of a project, or those right under a domain. */
function parentFilter(parentId: string | null): (SQL | undefined)[] {
  if (parentId === null) return [];
  return [or(eq(projects.parentId, parentId), and(isNull(projects.parentId), eq(projects.domainId, parentId)))];
}

/** `tags` (all of them), `tags-any`, and what has not: `not-tags`, `not-tags-any`. */
function tagFilters(query: URLSearchParams): SQL[] {
  const found: SQL[] = [];
  for (const [key, value] of query) {
    const wanted = [...new Set(value.split(','))];
    const count = sql`(SELECT count(DISTINCT value) FROM json_each(${projects.tags}) WHERE value IN (${sql.join(
      wanted.map((tag) => sql`${tag}`),
      sql`, `,
    )}))`;
    if (key === 'tags') found.push(sql`${count} = ${wanted.length}`);
    if (key === 'tags-any') found.push(sql`${count} > 0`);
    if (key === 'not-tags') found.push(sql`${count} < ${wanted.length}`);
    if (key === 'not-tags-any') found.push(sql`${count} = 0`);
  }
  return found;
}
