import { Hono } from 'hono';
import { type AppEnv, actorContext } from '../../http/context.ts';
import { forbidden } from '../../http/errors.ts';
import { queryOf, renderWhole } from '../http/collection.ts';
import { missing } from '../http/names.ts';
import { authorize } from '../policy.ts';
import { catalogOf, regionsOf } from './catalog-of.ts';
import { endpointViews, matching, regionView, serviceViews } from './views.ts';

/** What the catalog is made of, one thing at a time. It follows from the configuration, so nothing can be changed here. */
export const catalogRoutes = new Hono<AppEnv>()
  .get('/services', (c) => {
    const ctx = actorContext(c);
    authorize(ctx, 'identity:list_services');
    return renderWhole(
      c,
      'services',
      matching(serviceViews(ctx.baseUrl, catalogOf(ctx).entries), queryOf(c), ['name', 'type']),
    );
  })
  .get('/services/:id', (c) => {
    const ctx = actorContext(c);
    authorize(ctx, 'identity:get_service');
    const id = c.req.param('id');
    const service = serviceViews(ctx.baseUrl, catalogOf(ctx).entries).find((one) => one.id === id);
    if (!service) throw missing('service', id);
    return c.json({ service });
  })
  .get('/endpoints', (c) => {
    const ctx = actorContext(c);
    authorize(ctx, 'identity:list_endpoints');
    const all = endpointViews(ctx.baseUrl, catalogOf(ctx).entries);
    return renderWhole(c, 'endpoints', matching(all, queryOf(c), ['interface', 'service_id', 'region_id']));
  })
  .get('/endpoints/:id', (c) => {
    const ctx = actorContext(c);
    authorize(ctx, 'identity:get_endpoint');
    const id = c.req.param('id');
    const endpoint = endpointViews(ctx.baseUrl, catalogOf(ctx).entries).find((one) => one.id === id);
    if (!endpoint) throw missing('endpoint', id);
    return c.json({ endpoint });
  })
  .get('/regions', (c) => {
    const ctx = actorContext(c);
    authorize(ctx, 'identity:list_regions');
    const all = regionsOf(ctx).map((region) => regionView(ctx.baseUrl, region));
    return renderWhole(c, 'regions', matching(all, queryOf(c), ['parent_region_id']));
  })
  .get('/regions/:id', (c) => {
    const ctx = actorContext(c);
    authorize(ctx, 'identity:get_region');
    const id = c.req.param('id');
    if (!regionsOf(ctx).includes(id)) throw missing('region', id);
    return c.json({ region: regionView(ctx.baseUrl, id) });
  })
  .on(['POST', 'PUT', 'PATCH', 'DELETE'], ['/services/*', '/endpoints/*', '/regions/*'], () => {
    throw forbidden(
      'Services, endpoints and regions follow from how the cloud is set up: they cannot be changed here.',
    );
  });
