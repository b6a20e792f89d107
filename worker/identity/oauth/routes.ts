import { Hono } from 'hono';
import { type AppEnv, actorContext } from '../../http/context.ts';
import { readMember } from '../http/body.ts';
import { pageOf, queryOf, renderCollection } from '../http/collection.ts';
import {
  type ConsumerRow,
  consumerBody,
  createConsumer,
  deleteConsumer,
  findConsumer,
  listConsumers,
  updateConsumer,
} from './consumers.ts';

const consumerView = (baseUrl: string, { id, description, extra }: ConsumerRow) => ({
  ...extra,
  id,
  description,
  links: { self: `${baseUrl}/identity/v3/OS-OAUTH1/consumers/${id}` },
});

/** OS-OAUTH1: the programs that may ask users for a share in their rights. */
export const oauthRoutes = new Hono<AppEnv>()
  .get('/consumers', async (c) => {
    const ctx = actorContext(c);
    const page = pageOf(queryOf(c));
    const rows = await listConsumers(ctx, page);
    return renderCollection(c, 'consumers', rows, page, (row) => consumerView(ctx.baseUrl, row));
  })
  .post('/consumers', async (c) => {
    const ctx = actorContext(c);
    const { row, secret } = await createConsumer(ctx, await readMember(c, 'consumer', consumerBody));
    return c.json({ consumer: { ...consumerView(ctx.baseUrl, row), secret } }, 201);
  })
  .get('/consumers/:id', async (c) => {
    const ctx = actorContext(c);
    return c.json({ consumer: consumerView(ctx.baseUrl, await findConsumer(ctx, c.req.param('id'))) });
  })
  .patch('/consumers/:id', async (c) => {
    const ctx = actorContext(c);
    const row = await updateConsumer(ctx, c.req.param('id'), await readMember(c, 'consumer', consumerBody));
    return c.json({ consumer: consumerView(ctx.baseUrl, row) });
  })
  .delete('/consumers/:id', async (c) => {
    await deleteConsumer(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  });
