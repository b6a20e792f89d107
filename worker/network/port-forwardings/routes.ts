import { Hono } from 'hono';
import { type AppContext, type AppEnv, actorContext } from '../../http/context.ts';
import { createValues, updateValues } from '../api/attributes.ts';
import { createBody, updateBody } from '../api/body.ts';
import { answerCreated, answerList, answerShow, refuseBody } from '../api/collection.ts';
import { forwardAttributes } from './attributes.ts';
import { createForward, deleteForward, updateForward } from './change-forwards.ts';
import { forwardListing, forwardView, listForwards, showForward } from './forward-rows.ts';

const NAMES = { one: 'port_forwarding', many: 'port_forwardings' };
const parent = (c: AppContext) => c.req.param('floatingip') ?? '';

/** `/floatingips/{id}/port_forwardings`: a floating IP that many guests share. */
export const portForwardingRoutes = new Hono<AppEnv>()
  .get('/', (c) => {
    const ctx = actorContext(c);
    const collection = { name: NAMES.many, listing: forwardListing, view: forwardView };
    return answerList(c, collection, (query) => listForwards(ctx, parent(c), query));
  })
  .post('/', async (c) => {
    const ctx = actorContext(c);
    const { bulk, items } = await createBody(c, NAMES.one, NAMES.many);
    const rows = [];
    for (const { project_id: _, tenant_id: __, ...item } of items) {
      rows.push(await createForward(ctx, parent(c), createValues(forwardAttributes, item)));
    }
    return answerCreated(c, NAMES, bulk, rows.map(forwardView));
  })
  .get('/:id', async (c) =>
    answerShow(c, NAMES.one, forwardView((await showForward(actorContext(c), parent(c), c.req.param('id'))).row)),
  )
  .put('/:id', async (c) => {
    const changes = updateValues(forwardAttributes, await updateBody(c, NAMES.one));
    const row = await updateForward(actorContext(c), { floatingIpId: parent(c), id: c.req.param('id'), changes });
    return c.json({ [NAMES.one]: forwardView(row) });
  })
  .delete('/:id', async (c) => {
    await refuseBody(c);
    await deleteForward(actorContext(c), parent(c), c.req.param('id'));
    return c.body(null, 204);
  });
