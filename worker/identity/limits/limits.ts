import { and, asc, eq, or, type SQL, sql } from 'drizzle-orm';
import { limits, registeredLimits } from '../../../db/schema/catalog.ts';
import { domains, projects } from '../../../db/schema/identity.ts';
import { ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { forbidden, notFound } from '../../http/errors.ts';
import { given } from '../../http/given.ts';
import { afterMarker, type Page } from '../http/collection.ts';
import { expecting } from '../http/faults.ts';
import { textFilters } from '../http/filters.ts';
import { taken } from '../http/names.ts';
import { type Action, authorize } from '../policy.ts';
import type { LimitsToCreate, LimitToUpdate } from './limit-body.ts';
import { resourceFilters } from './registered-limits.ts';

const noLimit = (id: string) => notFound(`Could not find limit for ${id}.`);

/** A limit with what it limits. */
export interface Limit {
  id: string;
  serviceId: string;
  regionId: string;
  resourceName: string;
  projectId: string | null;
  domainId: string | null;
  resourceLimit: number;
  description: string | null;
}

const select = ({ db }: ActorContext) =>
  db
    .select({
      id: limits.id,
      serviceId: registeredLimits.serviceId,
      regionId: registeredLimits.regionId,
      resourceName: registeredLimits.resourceName,
      projectId: limits.projectId,
      domainId: limits.domainId,
      resourceLimit: limits.resourceLimit,
      description: limits.description,
    })
    .from(limits)
    .innerJoin(registeredLimits, eq(registeredLimits.id, limits.registeredLimitId));

/** All for administrators and services; else those of the token's domain or project. @throws ApiError 403 */
export async function listLimits(
  ctx: ActorContext,
  { query, page }: { query: URLSearchParams; page: Page },
): Promise<Limit[]> {
  authorize(ctx, 'identity:list_limits');
  return select(ctx)
    .where(
      and(
        visible(ctx),
        ...resourceFilters(query),
        ...textFilters(query, 'project_id', limits.projectId),
        ...textFilters(query, 'domain_id', limits.domainId),
        afterMarker(limits.id, page),
      ),
    )
    .orderBy(asc(limits.id))
    .limit(page.limit + 1);
}

function visible({ actor }: ActorContext): SQL | undefined {
  const { roles, systemScope, domainId, projectId } = actor;
  if (systemScope || roles.includes('admin') || roles.includes('service')) return undefined;
  if (domainId !== null) {
    const inDomain = sql`${limits.projectId} IN (SELECT projects.id FROM projects WHERE projects.domain_id = ${domainId})`;
    return or(eq(limits.domainId, domainId), inDomain);
  }
  return projectId === null ? sql`0` : eq(limits.projectId, projectId);
}

/** @throws ApiError 403, 404 */
export async function findLimit(ctx: ActorContext, id: string, action: Action = 'identity:get_limit'): Promise<Limit> {
  const [row] = await select(ctx).where(eq(limits.id, id));
  const [project] = row?.projectId
    ? await ctx.db.select({ domainId: projects.domainId }).from(projects).where(eq(projects.id, row.projectId))
    : [];
  authorize(
    ctx,
    action,
    given({
      limitProjectId: row?.projectId ?? undefined,
      limitDomainId: row?.domainId ?? project?.domainId,
    }),
  );
  if (!row) throw noLimit(id);
  return row;
}

/** All of them or none. @throws ApiError 400 (no such project or domain), 403 (also: nothing is registered), 409 */
export async function createLimits(ctx: ActorContext, input: LimitsToCreate): Promise<Limit[]> {
  const action = 'identity:create_limits';
  authorize(ctx, action);
  const [registered, knownProjects, knownDomains] = await ctx.db.batch([
    ctx.db.select().from(registeredLimits),
    ctx.db
      .select({ id: projects.id })
      .from(projects)
      .where(
        isAnyOf(
          projects.id,
          input.map(({ projectId }) => projectId),
        ),
      ),
    ctx.db
      .select({ id: domains.id })
      .from(domains)
      .where(
        isAnyOf(
          domains.id,
          input.map(({ domainId }) => domainId),
        ),
      ),
  ]);
  const rows = input.map(({ serviceId, regionId, resourceName, ...limit }) => {
    const of = registered.find(
      (one) => one.serviceId === serviceId && one.regionId === regionId && one.resourceName === resourceName,
    );
    if (!of) throw forbidden('Unable to create a limit that has no corresponding registered limit.');
    if (limit.projectId && !knownProjects.some(({ id }) => id === limit.projectId))
      throw expecting('project_id', 'limit');
    if (limit.domainId && !knownDomains.some(({ id }) => id === limit.domainId)) throw expecting('domain_id', 'limit');
    return { ...limit, id: ctx.ids.hex(), registeredLimitId: of.id };
  });
  await commit(ctx, {
    audit: { action, targetType: 'limit', targetId: rows[0]?.id ?? '', detail: { limits: rows } },
    statements: [ctx.db.insert(limits).values(rows)],
  }).catch((error: unknown) => {
    throw error instanceof ConstraintFailed ? taken('limit', 'Duplicate entry') : error;
  });
  return rows.map((row, at) => ({ ...(input[at] as LimitsToCreate[number]), id: row.id }));
}

const isAnyOf = (column: SQL | typeof projects.id | typeof domains.id, ids: (string | null)[]): SQL =>
  sql`${column} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;

/** @throws ApiError 403, 404 */
export async function updateLimit(ctx: ActorContext, id: string, change: LimitToUpdate): Promise<Limit> {
  const action = 'identity:update_limit';
  const limit = await findLimit(ctx, id, action);
  await commit(ctx, {
    audit: { action, targetType: 'limit', targetId: id, detail: change },
    statements: [ctx.db.update(limits).set(change).where(eq(limits.id, id))],
  });
  return { ...limit, ...change };
}

/** @throws ApiError 403, 404 */
export async function deleteLimit(ctx: ActorContext, id: string): Promise<void> {
  const action = 'identity:delete_limit';
  await findLimit(ctx, id, action);
  const statements = [ctx.db.delete(limits).where(eq(limits.id, id))];
  await commit(ctx, { audit: { action, targetType: 'limit', targetId: id }, statements });
}
