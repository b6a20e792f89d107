import { Hono } from 'hono';
import { type AppEnv, actorContext } from '../../http/context.ts';
import { readMember } from '../http/body.ts';
import { pageOf, queryOf, renderCollection } from '../http/collection.ts';
import {
  createPolicy,
  deletePolicy,
  findPolicy,
  listPolicies,
  type PolicyRow,
  policyToCreate,
  policyToUpdate,
  updatePolicy,
} from './policies.ts';

const policyView = (baseUrl: string, { id, type, blob, extra }: PolicyRow) => ({
  ...extra,
  id,
  type,
  blob,
  links: { self: `${baseUrl}/identity/v3/policies/${id}` },
});

/** Rules of other services, which Keystone keeps for them. */
export const policyRoutes = new Hono<AppEnv>()
  .get('/', async (c) => {
    const ctx = actorContext(c);
    const query = queryOf(c);
    const page = pageOf(query);
    const rows = await listPolicies(ctx, { query, page });
    return renderCollection(c, 'policies', rows, page, (row) => policyView(ctx.baseUrl, row));
  })
  .post('/', async (c) => {
    const ctx = actorContext(c);
    const row = await createPolicy(ctx, await readMember(c, 'policy', policyToCreate));
    return c.json({ policy: policyView(ctx.baseUrl, row) }, 201);
  })
  .get('/:id', async (c) => {
    const ctx = actorContext(c);
    return c.json({ policy: policyView(ctx.baseUrl, await findPolicy(ctx, c.req.param('id'))) });
  })
  .patch('/:id', async (c) => {
    const ctx = actorContext(c);
    const row = await updatePolicy(ctx, c.req.param('id'), await readMember(c, 'policy', policyToUpdate));
    return c.json({ policy: policyView(ctx.baseUrl, row) });
  })
  .delete('/:id', async (c) => {
    await deletePolicy(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  });
