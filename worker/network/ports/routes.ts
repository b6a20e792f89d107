import { Hono } from 'hono';
import { type AppEnv, actorContext } from '../../http/context.ts';
import { createValues, updateValues } from '../api/attributes.ts';
import { createBody, updateBody, withOwner } from '../api/body.ts';
import { answerCreated, answerList, answerShow, refuseBody } from '../api/collection.ts';
import { expectedRevision } from '../api/races.ts';
import { portAttributes } from './attributes.ts';
import { createPorts } from './create-ports.ts';
import { deletePort } from './delete-port.ts';
import { listPorts } from './list-ports.ts';
import { portListing, portView } from './port-rows.ts';
import { showPort } from './show-port.ts';
import { updatePort } from './update-port.ts';

export const portRoutes = new Hono<AppEnv>()
  .get('/', (c) => {
    const ctx = actorContext(c);
    const collection = { name: 'ports', listing: portListing, view: portView.bind(null, ctx) };
    return answerList(c, collection, (query) => listPorts(ctx, query));
  })
  .post('/', async (c) => {
    const ctx = actorContext(c);
    const { bulk, items } = await createBody(c, 'port', 'ports');
    const inputs = items.map((item) => {
      const { sent, projectId } = withOwner(ctx, item);
      return { ...createValues(portAttributes, sent), projectId };
    });
    const rows = await createPorts(ctx, inputs);
    return answerCreated(c, { one: 'port', many: 'ports' }, bulk, rows.map(portView.bind(null, ctx)));
  })
  .get('/:id', async (c) => {
    const ctx = actorContext(c);
    return answerShow(c, 'port', portView(ctx, await showPort(ctx, c.req.param('id'))));
  })
  .put('/:id', async (c) => {
    const ctx = actorContext(c);
    const changes = updateValues(portAttributes, await updateBody(c, 'port'));
    const row = await updatePort(ctx, { id: c.req.param('id'), changes, expectedRevision: expectedRevision(c) });
    return c.json({ port: portView(ctx, row) });
  })
  .delete('/:id', async (c) => {
    await refuseBody(c);
    await deletePort(actorContext(c), { id: c.req.param('id'), expectedRevision: expectedRevision(c) });
    return c.body(null, 204);
  });
