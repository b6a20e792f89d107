import { Hono } from 'hono';
import { notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { actorOf, type ComputeContext, type ComputeEnv, renderingOf } from '../http/env.ts';
import { nextLink } from '../http/paging.ts';
import { policy } from '../policy.ts';
import { hostRows } from './find-hosts.ts';
import { hypervisorStatistics, listHypervisors, searchHypervisors, showHypervisor } from './hypervisors.ts';
import { hypervisorUptime, uptimeOf } from './uptime.ts';
import { hypervisorDetailView, hypervisorView, statisticsView, zonesView } from './views.ts';

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
  const ctx = actorOf(c);
  const { version } = rendering;
  const found = await showHypervisor(ctx, c.req.param('id'), { query: c.req.queries(), version });
  const view = hypervisorDetailView(found, rendering, nowMs(c));
  return c.json({ hypervisor: { ...view, ...(version >= 88 ? { uptime: await uptimeOf(ctx, found.row) } : {}) } });
});
hypervisorRoutes.get('/:id/uptime', async (c) => {
  const rendering = renderingOf(c);
  if (rendering.version >= 88) throw gone();
  const found = await hypervisorUptime(actorOf(c), c.req.param('id'), rendering.version);
  return c.json({ hypervisor: { ...hypervisorView(found, rendering, nowMs(c)), uptime: found.uptime } });
});
for (const verb of ['search', 'servers'] as const) {
  hypervisorRoutes.get(`/:id/${verb}`, async (c) => {
    const rendering = renderingOf(c);
    if (rendering.version >= 53) throw gone();
    const found = await searchHypervisors(actorOf(c), c.req.param('id'), verb);
    return c.json({ hypervisors: found.map((one) => hypervisorView(one, rendering, nowMs(c))) });
  });
}

/** `/os-availability-zone`. */
export const zoneRoutes = new Hono<ComputeEnv>();

async function zones(c: ComputeContext, detail: boolean): Promise<Response> {
  const ctx = actorOf(c);
  authorize(ctx, policy, `os_compute_api:os-availability-zone:${detail ? 'detail' : 'list'}`);
  return c.json({ availabilityZoneInfo: zonesView(await hostRows(ctx), { detail, nowMs: nowMs(c) }) });
}

zoneRoutes.get('/', (c) => zones(c, false));
zoneRoutes.get('/detail', (c) => zones(c, true));
