import { Hono } from 'hono';
import { type AppEnv, actorContext } from '../../http/context.ts';
import { createValues, updateValues } from '../api/attributes.ts';
import { createBody, updateBody, withOwner } from '../api/body.ts';
import { answerCreated, answerList, answerShow, refuseBody } from '../api/collection.ts';
import { expectedRevision } from '../api/races.ts';
import { networkAttributes } from './attributes.ts';
import { createNetworks } from './create-networks.ts';
import { deleteNetwork } from './delete-network.ts';
import { listNetworks } from './list-networks.ts';
import { networkListing, networkView } from './network-rows.ts';
import { showNetwork } from './show-network.ts';
import { updateNetwork } from './update-network.ts';

export const networkRoutes = new Hono<AppEnv>()
  .get('/', (c) => {
    const ctx = actorContext(c);
    const collection = { name: 'networks', listing: networkListing, view: networkView.bind(null, ctx) };
    return answerList(c, collection, (query) => listNetworks(ctx, query));
  })
  .post('/', async (c) => {
    const ctx = actorContext(c);
    const { bulk, items } = await createBody(c, 'network', 'networks');
    const inputs = items.map((item) => {
      const { sent, projectId } = withOwner(ctx, item);
      return { ...createValues(networkAttributes, sent), projectId };
    });
    const rows = await createNetworks(ctx, inputs);
    return answerCreated(c, { one: 'network', many: 'networks' }, bulk, rows.map(networkView.bind(null, ctx)));
  })
  .get('/:id', async (c) => {
    const ctx = actorContext(c);
    return answerShow(c, 'network', networkView(ctx, await showNetwork(ctx, c.req.param('id'))));
  })
  .put('/:id', async (c) => {
    const ctx = actorContext(c);
    const changes = updateValues(networkAttributes, await updateBody(c, 'network'));
    const row = await updateNetwork(ctx, { id: c.req.param('id'), changes, expectedRevision: expectedRevision(c) });
    return c.json({ network: networkView(ctx, row) });
  })
  .delete('/:id', async (c) => {
    await refuseBody(c);
    await deleteNetwork(actorContext(c), { id: c.req.param('id'), expectedRevision: expectedRevision(c) });
    return c.body(null, 204);
  });
