import { Hono } from 'hono';
import { type AppEnv, actorContext } from '../../http/context.ts';
import { createValues, updateValues } from '../api/attributes.ts';
import { createBody, updateBody, withOwner } from '../api/body.ts';
import { answerCreated, answerList, answerShow, refuseBody } from '../api/collection.ts';
import { expectedRevision } from '../api/races.ts';
import { subnetAttributes } from './attributes.ts';
import { createSubnets } from './create-subnets.ts';
import { deleteSubnet } from './delete-subnet.ts';
import { listSubnets } from './list-subnets.ts';
import { showSubnet } from './show-subnet.ts';
import { subnetListing, subnetView } from './subnet-rows.ts';
import { updateSubnet } from './update-subnet.ts';

export const subnetRoutes = new Hono<AppEnv>()
  .get('/', (c) => {
    const collection = { name: 'subnets', listing: subnetListing, view: subnetView };
    return answerList(c, collection, (query) => listSubnets(actorContext(c), query));
  })
  .post('/', async (c) => {
    const ctx = actorContext(c);
    const { bulk, items } = await createBody(c, 'subnet', 'subnets');
    const inputs = items.map((item) => {
      const { sent, projectId } = withOwner(ctx, item);
      return { ...createValues(subnetAttributes, sent), projectId };
    });
    const rows = await createSubnets(ctx, inputs);
    return answerCreated(c, { one: 'subnet', many: 'subnets' }, bulk, rows.map(subnetView));
  })
  .get('/:id', async (c) => answerShow(c, 'subnet', subnetView(await showSubnet(actorContext(c), c.req.param('id')))))
  .put('/:id', async (c) => {
    const changes = updateValues(subnetAttributes, await updateBody(c, 'subnet'));
    const input = { id: c.req.param('id'), changes, expectedRevision: expectedRevision(c) };
    return c.json({ subnet: subnetView(await updateSubnet(actorContext(c), input)) });
  })
  .delete('/:id', async (c) => {
    await refuseBody(c);
    await deleteSubnet(actorContext(c), { id: c.req.param('id'), expectedRevision: expectedRevision(c) });
    return c.body(null, 204);
  });
