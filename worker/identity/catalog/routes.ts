import { Hono } from 'hono';
import { type AppEnv, actorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { readMember } from '../http/body.ts';
import { queryOf, renderWhole } from '../http/collection.ts';
import { endpointToCreate, endpointToUpdate, regionBody, serviceToCreate, serviceToUpdate } from './bodies.ts';
import { createEndpoint, deleteEndpoint, findEndpoint, listEndpoints, updateEndpoint } from './endpoints.ts';
import { createRegion, deleteRegion, findRegion, listRegions, updateRegion } from './regions.ts';
import { createService, deleteService, findService, listServices, updateService } from './services.ts';
import { endpointView, matching, regionView, serviceView } from './views.ts';

/** What the catalog is made of, one thing at a time: what the cloud brings, and what operators added. */
export const catalogRoutes = new Hono<AppEnv>()
  .get('/services', async (c) => {
    const ctx = actorContext(c);
    const all = (await listServices(ctx)).map((row) => serviceView(ctx.baseUrl, row));
    return renderWhole(c, 'services', matching(all, queryOf(c), ['name', 'type']));
  })
  .post('/services', async (c) => {
    const ctx = actorContext(c);
    const row = await createService(ctx, await readMember(c, 'service', serviceToCreate));
    return c.json({ service: serviceView(ctx.baseUrl, row) }, 201);
  })
  .get('/services/:id', async (c) => {
    const ctx = actorContext(c);
    return c.json({ service: serviceView(ctx.baseUrl, await findService(ctx, c.req.param('id'))) });
  })
  .patch('/services/:id', async (c) => {
    const ctx = actorContext(c);
    const row = await updateService(ctx, c.req.param('id'), await readMember(c, 'service', serviceToUpdate));
    return c.json({ service: serviceView(ctx.baseUrl, row) });
  })
  .delete('/services/:id', async (c) => {
    await deleteService(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  })

  .get('/endpoints', async (c) => {
    const ctx = actorContext(c);
    const all = (await listEndpoints(ctx)).map((row) => endpointView(ctx.baseUrl, row));
    return renderWhole(c, 'endpoints', matching(all, queryOf(c), ['interface', 'service_id', 'region_id']));
  })
  .post('/endpoints', async (c) => {
    const ctx = actorContext(c);
    const row = await createEndpoint(ctx, await readMember(c, 'endpoint', endpointToCreate));
    return c.json({ endpoint: endpointView(ctx.baseUrl, row) }, 201);
  })
  .get('/endpoints/:id', async (c) => {
    const ctx = actorContext(c);
    return c.json({ endpoint: endpointView(ctx.baseUrl, await findEndpoint(ctx, c.req.param('id'))) });
  })
  .patch('/endpoints/:id', async (c) => {
    const ctx = actorContext(c);
    const row = await updateEndpoint(ctx, c.req.param('id'), await readMember(c, 'endpoint', endpointToUpdate));
    return c.json({ endpoint: endpointView(ctx.baseUrl, row) });
  })
  .delete('/endpoints/:id', async (c) => {
    await deleteEndpoint(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  })

  .get('/regions', async (c) => {
    const ctx = actorContext(c);
    const all = (await listRegions(ctx)).map((row) => regionView(ctx.baseUrl, row));
    return renderWhole(c, 'regions', matching(all, queryOf(c), ['parent_region_id']));
  })
  .post('/regions', async (c) => {
    const ctx = actorContext(c);
    const row = await createRegion(ctx, await readMember(c, 'region', regionBody));
    return c.json({ region: regionView(ctx.baseUrl, row) }, 201);
  })
  .get('/regions/:id', async (c) => {
    const ctx = actorContext(c);
    return c.json({ region: regionView(ctx.baseUrl, await findRegion(ctx, c.req.param('id'))) });
  })
  .put('/regions/:id', async (c) => {
    const ctx = actorContext(c);
    const id = c.req.param('id');
    const body = await readMember(c, 'region', regionBody);
    if (body.id !== undefined && body.id !== id) {
      throw badRequest(`Conflicting region IDs specified: "${id}" != "${body.id}"`);
    }
    return c.json({ region: regionView(ctx.baseUrl, await createRegion(ctx, { ...body, id })) }, 201);
  })
  .patch('/regions/:id', async (c) => {
    const ctx = actorContext(c);
    const row = await updateRegion(ctx, c.req.param('id'), await readMember(c, 'region', regionBody));
    return c.json({ region: regionView(ctx.baseUrl, row) });
  })
  .delete('/regions/:id', async (c) => {
    await deleteRegion(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  });
