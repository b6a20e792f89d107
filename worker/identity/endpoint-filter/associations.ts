import { and, asc, eq, inArray, sql } from 'drizzle-orm';
import { projectEndpointGroups, projectEndpoints } from '../../../db/schema/catalog.ts';
import { projects } from '../../../db/schema/identity.ts';
import { AssertionFailed, assertThat, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import type { Endpoint } from '../catalog/catalog.ts';
import { allEndpoints } from '../catalog/endpoints.ts';
import { endpointsOfGroup, endpointsOfProject } from '../catalog/endpoints-of-project.ts';
import { CATALOG_CHANGED, readCatalogRows } from '../catalog/rows.ts';
import { missing } from '../http/names.ts';
import { type Action, authorize } from '../policy.ts';
import type { ProjectRow } from '../projects/views.ts';
import { commitRevoking } from '../tokens/revoke.ts';
import { type EndpointGroupRow, findEndpointGroup } from './endpoint-groups.ts';

/** A project and what it is given of the catalog: an endpoint, or a group of them. */
export interface Association {
  projectId: string;
  type: 'endpoint' | 'endpoint_group';
  id: string;
}

const isOne = ({ projectId, type, id }: Association) =>
  type === 'endpoint'
    ? and(eq(projectEndpoints.projectId, projectId), eq(projectEndpoints.endpointId, id))
    : and(eq(projectEndpointGroups.projectId, projectId), eq(projectEndpointGroups.endpointGroupId, id));

const tableOf = ({ type }: Association) => (type === 'endpoint' ? projectEndpoints : projectEndpointGroups);

async function requireThing(ctx: ActorContext, { type, id }: Omit<Association, 'projectId'>, action: Action) {
  if (type === 'endpoint_group') return findEndpointGroup(ctx, id, action);
  authorize(ctx, action);
  if (!(await allEndpoints(ctx)).some((endpoint) => endpoint.id === id)) throw missing('endpoint', id);
}

async function requireProject(ctx: ActorContext, id: string): Promise<void> {
  const found = await ctx.db.select({ id: projects.id }).from(projects).where(eq(projects.id, id));
  if (found.length === 0) throw missing('project', id);
}

async function requireAssociation(ctx: ActorContext, one: Association, action: Action): Promise<void> {
  authorize(ctx, action);
  const found = await ctx.db
    .select({ id: tableOf(one).projectId })
    .from(tableOf(one))
    .where(isOne(one));
  if (found.length === 0) {
    throw notFound(
      `${one.type === 'endpoint' ? 'Endpoint' : 'Endpoint Group'} ${one.id} not found in project ${one.projectId}`,
    );
  }
}

/** @throws ApiError 403, 404 */
export async function checkAssociation(ctx: ActorContext, one: Association): Promise<void> {
  const action =
    one.type === 'endpoint' ? 'identity:check_endpoint_in_project' : 'identity:get_endpoint_group_in_project';
  await requireThing(ctx, one, action);
  await requireProject(ctx, one.projectId);
  await requireAssociation(ctx, one, action);
}

/** Adding one that is there already changes nothing. @throws ApiError 403, 404 */
export async function addAssociation(ctx: ActorContext, one: Association): Promise<void> {
  const action = `identity:add_${one.type}_to_project` as const;
  await requireThing(ctx, one, action);
  const { projectId, id } = one;
  const insert: Statement =
    one.type === 'endpoint'
      ? ctx.db.insert(projectEndpoints).values({ projectId, endpointId: id }).onConflictDoNothing()
      : ctx.db.insert(projectEndpointGroups).values({ projectId, endpointGroupId: id }).onConflictDoNothing();
  const project = assertThat(ctx.db, 'project', sql`EXISTS (SELECT 1 FROM projects WHERE id = ${projectId})`);
  await commitRevoking(ctx, { audit: auditOf(one, action), statements: [project, insert] }, [CATALOG_CHANGED]).catch(
    (error: unknown) => {
      throw error instanceof AssertionFailed ? missing('project', projectId) : error;
    },
  );
}

/** @throws ApiError 403, 404 */
export async function removeAssociation(ctx: ActorContext, one: Association): Promise<void> {
  const action = `identity:remove_${one.type}_from_project` as const;
  await requireAssociation(ctx, one, action);
  const statements = [ctx.db.delete(tableOf(one)).where(isOne(one))];
  await commitRevoking(ctx, { audit: auditOf(one, action), statements }, [CATALOG_CHANGED]);
}

const auditOf = ({ projectId, type, id }: Association, action: Action) => ({
  action,
  targetType: 'project',
  targetId: projectId,
  detail: { [type]: id },
});

/** The projects that were given an endpoint or a group. @throws ApiError 403, 404 */
export async function projectsWith(ctx: ActorContext, one: Omit<Association, 'projectId'>): Promise<ProjectRow[]> {
  await requireThing(
    ctx,
    one,
    one.type === 'endpoint'
      ? 'identity:list_projects_for_endpoint'
      : 'identity:list_projects_associated_with_endpoint_group',
  );
  const ids =
    one.type === 'endpoint'
      ? ctx.db
          .select({ id: projectEndpoints.projectId })
          .from(projectEndpoints)
          .where(eq(projectEndpoints.endpointId, one.id))
      : ctx.db
          .select({ id: projectEndpointGroups.projectId })
          .from(projectEndpointGroups)
          .where(eq(projectEndpointGroups.endpointGroupId, one.id));
  return ctx.db.select().from(projects).where(inArray(projects.id, ids)).orderBy(asc(projects.id));
}

/** All endpoints that a project was given. @throws ApiError 403, 404 */
export async function endpointsFor(ctx: ActorContext, projectId: string): Promise<Endpoint[]> {
  authorize(ctx, 'identity:list_endpoints_for_project');
  await requireProject(ctx, projectId);
  const rows = await readCatalogRows(ctx);
  return endpointsOfProject(rows, await allEndpoints(ctx), projectId);
}

/** The groups that a project was given. @throws ApiError 403, 404 */
export async function groupsFor(ctx: ActorContext, projectId: string): Promise<EndpointGroupRow[]> {
  authorize(ctx, 'identity:list_endpoint_groups_for_project');
  await requireProject(ctx, projectId);
  const { groups, projectGroups } = await readCatalogRows(ctx);
  return groups.filter(({ id }) =>
    projectGroups.some((one) => one.projectId === projectId && one.endpointGroupId === id),
  );
}

/** The endpoints that a group is made of. @throws ApiError 403, 404 */
export async function endpointsIn(ctx: ActorContext, groupId: string): Promise<Endpoint[]> {
  const group = await findEndpointGroup(ctx, groupId, 'identity:list_endpoints_associated_with_endpoint_group');
  return endpointsOfGroup(group.filters, await allEndpoints(ctx));
}
