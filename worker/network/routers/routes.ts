import { z } from 'zod';
import { parseBody } from '../../http/body.ts';
import { type AppContext, actorContext } from '../../http/context.ts';
import { createValues, required } from '../api/attributes.ts';
import { updateBody } from '../api/body.ts';
import { resourceRoutes } from '../api/resource-routes.ts';
import { addInterface } from './add-interface.ts';
import { routeList, routerAttributes } from './attributes.ts';
import { changeRoutes } from './change-routes.ts';
import { createRouters } from './create-routers.ts';
import { deleteRouter } from './delete-router.ts';
import { parseInterface } from './interface-view.ts';
import { removeInterface } from './remove-interface.ts';
import { listRouters, routerListing, routerView, showRouter } from './router-rows.ts';
import { updateRouter } from './update-router.ts';

const sentInterface = async (c: AppContext) => parseInterface(await parseBody(c, z.record(z.string(), z.unknown())));

async function routesChanged(c: AppContext, action: 'add_extraroutes' | 'remove_extraroutes'): Promise<Response> {
  const ctx = actorContext(c);
  const { routes } = createValues({ routes: required(routeList) }, await updateBody(c, 'router'));
  const row = await changeRoutes(ctx, c.req.param('id') ?? '', { action, sent: routes });
  return c.json({ router: routerView(ctx, row) });
}

/** `/routers`: what joins networks, and leads them outside. */
export const routerRoutes = resourceRoutes({
  one: 'router',
  many: 'routers',
  attributes: routerAttributes,
  listing: routerListing,
  view: routerView,
  list: listRouters,
  show: showRouter,
  create: createRouters,
  update: updateRouter,
  remove: deleteRouter,
})
  .put('/:id/add_router_interface', async (c) =>
    c.json(await addInterface(actorContext(c), c.req.param('id'), await sentInterface(c))),
  )
  .put('/:id/remove_router_interface', async (c) =>
    c.json(await removeInterface(actorContext(c), c.req.param('id'), await sentInterface(c))),
  )
  .put('/:id/add_extraroutes', (c) => routesChanged(c, 'add_extraroutes'))
  .put('/:id/remove_extraroutes', (c) => routesChanged(c, 'remove_extraroutes'));
