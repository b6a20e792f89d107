import { Hono } from 'hono';
import { ApiError, badRequest, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { actorOf, type ComputeContext, type ComputeEnv, renderingOf } from '../http/env.ts';
import { nextLink } from '../http/paging.ts';
import { checkedBody } from '../http/validate.ts';
import { policy } from '../policy.ts';
import { hostRows } from './find-hosts.ts';
import { hypervisorStatistics, listHypervisors, searchHypervisors, showHypervisor } from './hypervisors.ts';
import { listServices, serviceByHostBody, serviceByIdBody, setService } from './services.ts';
import { hypervisorDetailView, hypervisorView, serviceView, statisticsView, zonesView } from './views.ts';

const gone = () => notFound('The resource could not be found.');
const nowMs = (c: ComputeContext) => c.get('ctx').clock.nowMs();

/** `/os-hypervisors`: the region's machines. */
export const hypervisorRoutes = new Hono<ComputeEnv>();

async function list(c: ComputeContext, detail: boolean): Promise<Response> {
  const query = c.req.queries();
  const rendering = renderingOf(c);
  const { found, page } = await listHypervisors(actorOf(c), { query, version: rendering.version, detail });
  const view = detail ? hypervisorDetailView : hypervisorView;
  const hypervisors = found.map((one) => view(one, rendering, nowMs(c)));
  const collection = `os-hypervisors${detail ? '/detail' : ''}`;
  const ids = hypervisors.map(({ id }) => String(id));
  const next = page ? nextLink(rendering.links, collection, query, page, ids) : undefined;
  return c.json({ hypervisors, ...(next ? { hypervisors_links: next } : {}) });
}

hypervisorRoutes.get('/', (c) => list(c, false));
hypervisorRoutes.get('/detail', (c) => list(c, true));
hypervisorRoutes.get('/statistics', async (c) => {
  if (c.get('microversion') >= 88) throw gone();
  return c.json({ hypervisor_statistics: statisticsView(await hypervisorStatistics(actorOf(c))) });
});
hypervisorRoutes.get('/:id', async (c) => {
  const rendering = renderingOf(c);
  const found = await showHypervisor(actorOf(c), c.req.param('id'), {
    query: c.req.queries(),
    version: rendering.version,
  });
  return c.json({ hypervisor: hypervisorDetailView(found, rendering, nowMs(c)) });
});
/** Nova's word where a driver cannot tell; its clients go on without. */
hypervisorRoutes.get('/:id/uptime', async (c) => {
  const { version } = renderingOf(c);
  if (version >= 88) throw gone();
  await showHypervisor(actorOf(c), c.req.param('id'), { query: {}, version });
  throw new ApiError(501, 'The requested functionality is not supported.');
});
for (const verb of ['search', 'servers'] as const) {
  hypervisorRoutes.get(`/:id/${verb}`, async (c) => {
    const rendering = renderingOf(c);
    if (rendering.version >= 53) throw gone();
    const found = await searchHypervisors(actorOf(c), c.req.param('id'), verb);
    return c.json({ hypervisors: found.map((one) => hypervisorView(one, rendering, nowMs(c))) });
  });
}

/** `/os-services`: the same machines as the compute services of Nova's operators. */
export const serviceRoutes = new Hono<ComputeEnv>();

serviceRoutes.get('/', async (c) => {
  const rendering = renderingOf(c);
  const rows = await listServices(actorOf(c), c.req.queries(), rendering.version);
  return c.json({ services: rows.map((row) => serviceView(row, rendering, nowMs(c))) });
});
serviceRoutes.put('/:id', async (c) => {
  const rendering = renderingOf(c);
  if (rendering.version < 53) return putByHost(c);
  const body = await checkedBody(c, serviceByIdBody);
  if (body.forced_down !== undefined)
    throw badRequest('Machines are not forced down here: disable them, or remove the runner.');
  const of = { id: c.req.param('id') };
  const row = await setService(actorOf(c), of, { status: body.status, reason: body.disabled_reason });
  return c.json({ service: serviceView(row, rendering, nowMs(c)) });
});

/** `PUT /os-services/enable`, `/disable` and `/disable-log-reason`. */
async function putByHost(c: ComputeContext): Promise<Response> {
  const verb = c.req.param('id');
  if (verb !== 'enable' && verb !== 'disable' && verb !== 'disable-log-reason') throw notFound('Unknown action');
  const body = await checkedBody(c, serviceByHostBody);
  const { host, binary } = body;
  const status = verb === 'enable' ? 'enabled' : 'disabled';
  const reason = verb === 'disable-log-reason' ? body.disabled_reason : undefined;
  if (verb === 'disable-log-reason' && reason === undefined) throw badRequest('Missing disabled reason field');
  await setService(actorOf(c), { host, binary }, { status, reason });
  return c.json({ service: { host, binary, status, ...(reason === undefined ? {} : { disabled_reason: reason }) } });
}

/** `/os-aggregates`: machines are not grouped; clients that show one ask for its groups. */
export const aggregateRoutes = new Hono<ComputeEnv>();

aggregateRoutes.get('/', (c) => {
  authorize(actorOf(c), policy, 'os_compute_api:os-aggregates:index');
  return c.json({ aggregates: [] });
});

/** `/os-availability-zone`. */
export const zoneRoutes = new Hono<ComputeEnv>();

async function zones(c: ComputeContext, detail: boolean): Promise<Response> {
  const ctx = actorOf(c);
  authorize(ctx, policy, `os_compute_api:os-availability-zone:${detail ? 'detail' : 'list'}`);
  return c.json({ availabilityZoneInfo: zonesView(await hostRows(ctx), { detail, nowMs: nowMs(c) }) });
}

zoneRoutes.get('/', (c) => zones(c, false));
zoneRoutes.get('/detail', (c) => zones(c, true));
