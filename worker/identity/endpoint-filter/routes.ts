import { Hono } from 'hono';
import { type AppContext, type AppEnv, actorContext } from '../../http/context.ts';
import { endpointView } from '../catalog/views.ts';
import { readMember } from '../http/body.ts';
import { queryOf, renderWhole } from '../http/collection.ts';
import { projectView } from '../projects/views.ts';
import {
  type Association,
  addAssociation,
  checkAssociation,
  endpointsFor,
  endpointsIn,
  groupsFor,
  projectsWith,
  removeAssociation,
} from './associations.ts';
import { groupToCreate, groupToUpdate } from './endpoint-group-body.ts';
import {
  createEndpointGroup,
  deleteEndpointGroup,
  endpointGroupView,
  findEndpointGroup,
  listEndpointGroups,
  updateEndpointGroup,
} from './endpoint-groups.ts';

const associationOf = (c: AppContext): Association => ({
  projectId: c.req.param('project') ?? '',
  type: c.req.param('endpoint') === undefined ? 'endpoint_group' : 'endpoint',
  id: c.req.param('endpoint') ?? c.req.param('id') ?? '',
});

const ONE_ENDPOINT = '/projects/:project/endpoints/:endpoint';
const ONE_GROUP = '/endpoint_groups/:id/projects/:project';

/** OS-EP-FILTER: which part of the catalog a project sees. */
export const endpointFilterRoutes = new Hono<AppEnv>()
  .get('/endpoint_groups', async (c) => {
    const ctx = actorContext(c);
    const rows = await listEndpointGroups(ctx, queryOf(c));
    const views = rows.map((row) => endpointGroupView(ctx.baseUrl, row));
    return renderWhole(c, 'endpoint_groups', views);
  })
  .post('/endpoint_groups', async (c) => {
    const ctx = actorContext(c);
    const row = await createEndpointGroup(ctx, await readMember(c, 'endpoint_group', groupToCreate));
    return c.json({ endpoint_group: endpointGroupView(ctx.baseUrl, row) }, 201);
  })
  .get('/endpoint_groups/:id', async (c) => {
    const ctx = actorContext(c);
    return c.json({ endpoint_group: endpointGroupView(ctx.baseUrl, await findEndpointGroup(ctx, c.req.param('id'))) });
  })
  .patch('/endpoint_groups/:id', async (c) => {
    const ctx = actorContext(c);
    const change = await readMember(c, 'endpoint_group', groupToUpdate);
    const row = await updateEndpointGroup(ctx, c.req.param('id'), change);
    return c.json({ endpoint_group: endpointGroupView(ctx.baseUrl, row) });
  })
  .delete('/endpoint_groups/:id', async (c) => {
    await deleteEndpointGroup(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  })
  .get('/endpoint_groups/:id/projects', async (c) => {
    const ctx = actorContext(c);
    const rows = await projectsWith(ctx, { type: 'endpoint_group', id: c.req.param('id') });
    const views = rows.map((row) => projectView(ctx.baseUrl, row));
    return renderWhole(c, 'projects', views);
  })
  .get('/endpoint_groups/:id/endpoints', async (c) => {
    const ctx = actorContext(c);
    const rows = await endpointsIn(ctx, c.req.param('id'));
    const views = rows.map((row) => endpointView(ctx.baseUrl, row));
    return renderWhole(c, 'endpoints', views);
  })
  .get('/endpoints/:id/projects', async (c) => {
    const ctx = actorContext(c);
    const rows = await projectsWith(ctx, { type: 'endpoint', id: c.req.param('id') });
    const views = rows.map((row) => projectView(ctx.baseUrl, row));
    return renderWhole(c, 'projects', views);
  })
  .get('/projects/:project/endpoints', async (c) => {
    const ctx = actorContext(c);
    const rows = await endpointsFor(ctx, c.req.param('project'));
    const views = rows.map((row) => endpointView(ctx.baseUrl, row));
    return renderWhole(c, 'endpoints', views);
  })
  .get('/projects/:project/endpoint_groups', async (c) => {
    const ctx = actorContext(c);
    const rows = await groupsFor(ctx, c.req.param('project'));
    const views = rows.map((row) => endpointGroupView(ctx.baseUrl, row));
    return renderWhole(c, 'endpoint_groups', views);
  })
  .get(ONE_ENDPOINT, async (c) => {
    await checkAssociation(actorContext(c), associationOf(c));
    return c.body(null, 204);
  })
  .get(ONE_GROUP, async (c) => {
    const { id, project } = c.req.param();
    await checkAssociation(actorContext(c), associationOf(c));
    const self = `/OS-EP-FILTER/endpoint_groups/${id}/projects/${project}`;
    return c.json({ project_endpoint_group: { endpoint_group_id: id, project_id: project, links: { self } } });
  })
  .on('PUT', [ONE_ENDPOINT, ONE_GROUP], async (c) => {
    await addAssociation(actorContext(c), associationOf(c));
    return c.body(null, 204);
  })
  .on('DELETE', [ONE_ENDPOINT, ONE_GROUP], async (c) => {
    await removeAssociation(actorContext(c), associationOf(c));
    return c.body(null, 204);
  });
