import { Hono } from 'hono';
import { type AppContext, type AppEnv, actorContext } from '../../http/context.ts';
import { readMember } from '../http/body.ts';
import { pageOf, queryOf, renderCollection } from '../http/collection.ts';
import { authorize } from '../policy.ts';
import { limitsToCreate, limitToUpdate, registeredLimitsToCreate, registeredLimitToUpdate } from './limit-body.ts';
import { createLimits, deleteLimit, findLimit, type Limit, listLimits, updateLimit } from './limits.ts';
import {
  createRegisteredLimits,
  deleteRegisteredLimit,
  findRegisteredLimit,
  listRegisteredLimits,
  type RegisteredLimitRow,
  updateRegisteredLimit,
} from './registered-limits.ts';

/** How limits count: each project's is its own affair. */
const MODEL = {
  name: 'flat',
  description: 'Limit enforcement and validation does not take project hierarchy into consideration.',
};

const registeredLimitView = (baseUrl: string, row: RegisteredLimitRow) => ({
  id: row.id,
  service_id: row.serviceId,
  region_id: row.regionId || null,
  resource_name: row.resourceName,
  default_limit: row.defaultLimit,
  description: row.description,
  links: { self: `${baseUrl}/identity/v3/registered_limits/${row.id}` },
});

const limitView = (baseUrl: string, limit: Limit) => ({
  id: limit.id,
  project_id: limit.projectId,
  domain_id: limit.domainId,
  service_id: limit.serviceId,
  region_id: limit.regionId || null,
  resource_name: limit.resourceName,
  resource_limit: limit.resourceLimit,
  description: limit.description,
  links: { self: `${baseUrl}/identity/v3/limits/${limit.id}` },
});

const listInput = (c: AppContext) => ({ query: queryOf(c), page: pageOf(queryOf(c)) });

export const registeredLimitRoutes = new Hono<AppEnv>()
  .get('/', async (c) => {
    const ctx = actorContext(c);
    const input = listInput(c);
    const rows = await listRegisteredLimits(ctx, input);
    return renderCollection(c, 'registered_limits', rows, input.page, (row) => registeredLimitView(ctx.baseUrl, row));
  })
  .post('/', async (c) => {
    const ctx = actorContext(c);
    const rows = await createRegisteredLimits(ctx, await readMember(c, 'registered_limits', registeredLimitsToCreate));
    return c.json({ registered_limits: rows.map((row) => registeredLimitView(ctx.baseUrl, row)) }, 201);
  })
  .get('/:id', async (c) => {
    const ctx = actorContext(c);
    const row = await findRegisteredLimit(ctx, c.req.param('id'));
    return c.json({ registered_limit: registeredLimitView(ctx.baseUrl, row) });
  })
  .patch('/:id', async (c) => {
    const ctx = actorContext(c);
    const change = await readMember(c, 'registered_limit', registeredLimitToUpdate);
    const row = await updateRegisteredLimit(ctx, c.req.param('id'), change);
    return c.json({ registered_limit: registeredLimitView(ctx.baseUrl, row) });
  })
  .delete('/:id', async (c) => {
    await deleteRegisteredLimit(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  });

export const limitRoutes = new Hono<AppEnv>()
  .get('/', async (c) => {
    const ctx = actorContext(c);
    const input = listInput(c);
    const rows = await listLimits(ctx, input);
    return renderCollection(c, 'limits', rows, input.page, (row) => limitView(ctx.baseUrl, row));
  })
  .post('/', async (c) => {
    const ctx = actorContext(c);
    const made = await createLimits(ctx, await readMember(c, 'limits', limitsToCreate));
    return c.json({ limits: made.map((limit) => limitView(ctx.baseUrl, limit)) }, 201);
  })
  .get('/model', (c) => {
    authorize(actorContext(c), 'identity:get_limit_model');
    return c.json({ model: MODEL });
  })
  .get('/:id', async (c) => {
    const ctx = actorContext(c);
    return c.json({ limit: limitView(ctx.baseUrl, await findLimit(ctx, c.req.param('id'))) });
  })
  .patch('/:id', async (c) => {
    const ctx = actorContext(c);
    const limit = await updateLimit(ctx, c.req.param('id'), await readMember(c, 'limit', limitToUpdate));
    return c.json({ limit: limitView(ctx.baseUrl, limit) });
  })
  .delete('/:id', async (c) => {
    await deleteLimit(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  });
