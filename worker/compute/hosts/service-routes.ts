import { Hono } from 'hono';
import { badRequest, notFound } from '../../http/errors.ts';
import { actorOf, type ComputeContext, type ComputeEnv, renderingOf } from '../http/env.ts';
import { checkedBody } from '../http/validate.ts';
import {
  deleteService,
  forceDownBody,
  listServices,
  serviceByHostBody,
  serviceByIdBody,
  setService,
} from './services.ts';
import { serviceView } from './views.ts';

/** `/os-services`: the machines as the compute services of Nova's operators. */
export const serviceRoutes = new Hono<ComputeEnv>();

const nowMs = (c: ComputeContext) => c.get('ctx').clock.nowMs();

serviceRoutes.get('/', async (c) => {
  const rendering = renderingOf(c);
  const rows = await listServices(actorOf(c), c.req.queries(), rendering.version);
  return c.json({ services: rows.map((row) => serviceView(row, rendering, nowMs(c))) });
});

serviceRoutes.put('/:id', async (c) => {
  const rendering = renderingOf(c);
  if (rendering.version < 53) return putByHost(c);
  const { status, disabled_reason: reason, forced_down: forcedDown } = await checkedBody(c, serviceByIdBody);
  const row = await setService(actorOf(c), { id: c.req.param('id') }, { status, reason, forcedDown });
  return c.json({ service: serviceView(row, rendering, nowMs(c)) });
});

/** `PUT /os-services/enable`, `/disable`, `/disable-log-reason` and, from 2.11, `/force-down`. */
async function putByHost(c: ComputeContext): Promise<Response> {
  const verb = c.req.param('id');
  if (verb === 'force-down' && c.get('microversion') >= 11) return forceDown(c);
  if (verb !== 'enable' && verb !== 'disable' && verb !== 'disable-log-reason') throw notFound('Unknown action');
  const body = await checkedBody(c, serviceByHostBody);
  const { host, binary } = body;
  const status = verb === 'enable' ? 'enabled' : 'disabled';
  const reason = verb === 'disable-log-reason' ? body.disabled_reason : undefined;
  if (verb === 'disable-log-reason' && reason === undefined) throw badRequest('Missing disabled reason field');
  await setService(actorOf(c), { host, binary }, { status, reason });
  return c.json({ service: { host, binary, status, ...(reason === undefined ? {} : { disabled_reason: reason }) } });
}

async function forceDown(c: ComputeContext): Promise<Response> {
  const { host, binary, forced_down: forcedDown } = await checkedBody(c, forceDownBody);
  await setService(actorOf(c), { host, binary }, { forcedDown });
  return c.json({ service: { host, binary, forced_down: forcedDown } });
}

serviceRoutes.delete('/:id', async (c) => {
  await deleteService(actorOf(c), c.req.param('id'), c.get('microversion'));
  return c.body(null, 204);
});
