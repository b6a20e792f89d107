import { Hono } from 'hono';
import { type AppEnv, actorContext } from '../../http/context.ts';
import { readMember } from '../http/body.ts';
import { pageOf, queryOf, renderCollection } from '../http/collection.ts';
import { createDomain } from './create-domain.ts';
import { deleteDomain } from './delete-domain.ts';
import { domainToCreate, domainToUpdate } from './domain-body.ts';
import { listDomains } from './list-domains.ts';
import { showDomain } from './show-domain.ts';
import { updateDomain } from './update-domain.ts';
import { domainView } from './views.ts';

export const domainRoutes = new Hono<AppEnv>()
  .get('/', async (c) => {
    const ctx = actorContext(c);
    const query = queryOf(c);
    const page = pageOf(query);
    const rows = await listDomains(ctx, { query, page });
    return renderCollection(c, 'domains', rows, page, (row) => domainView(ctx.baseUrl, row));
  })
  .post('/', async (c) => {
    const ctx = actorContext(c);
    const row = await createDomain(ctx, await readMember(c, 'domain', domainToCreate));
    return c.json({ domain: domainView(ctx.baseUrl, row) }, 201);
  })
  .get('/:id', async (c) => {
    const ctx = actorContext(c);
    return c.json({ domain: domainView(ctx.baseUrl, await showDomain(ctx, c.req.param('id'))) });
  })
  .patch('/:id', async (c) => {
    const ctx = actorContext(c);
    const change = await readMember(c, 'domain', domainToUpdate);
    const row = await updateDomain(ctx, { id: c.req.param('id'), change });
    return c.json({ domain: domainView(ctx.baseUrl, row) });
  })
  .delete('/:id', async (c) => {
    await deleteDomain(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  });
