import { Hono } from 'hono';
import { notFound } from '../../http/errors.ts';
import { actorOf, type ComputeContext, type ComputeEnv } from '../http/env.ts';
import { last, nextLink, type Page, pageOf, refuseUnknown } from '../http/paging.ts';
import { listTenantUsages, type ServerUsage, showTenantUsage, type Window, windowOf } from './tenant-usage.ts';
import { tenantUsagesView } from './views.ts';

/** `/os-simple-tenant-usage`: hours of servers, by project. */
export const usageRoutes = new Hono<ComputeEnv>();

interface Asked {
  window: Window;
  detailed: boolean;
  page: Page | null;
}

/** What is asked for; in pages from 2.40. @throws ApiError 400 */
function askedOf(c: ComputeContext): Asked {
  const query = c.req.queries();
  const version = c.get('microversion');
  refuseUnknown(query, ['start', 'end', 'detailed', ...(version >= 40 ? ['limit', 'marker'] : [])], version);
  const times = { start: last(query, 'start'), end: last(query, 'end') };
  return {
    window: windowOf(times, c.get('ctx').clock.nowMs()),
    detailed: last(query, 'detailed') === '1',
    page: version >= 40 ? pageOf(query) : null,
  };
}

function linkOf(c: ComputeContext, collection: string, page: Page | null, usages: readonly ServerUsage[]) {
  const ids = usages.map(({ id }) => id);
  return page ? nextLink(c.get('links'), collection, c.req.queries(), page, ids) : undefined;
}

usageRoutes.get('/', async (c) => {
  // With a slash at its end it names a project without a name.
  if (new URL(c.req.url).pathname.endsWith('/')) throw notFound('The resource could not be found.');
  const { window, detailed, page } = askedOf(c);
  const usages = await listTenantUsages(actorOf(c), window, page);
  const next = linkOf(c, 'os-simple-tenant-usage', page, usages);
  return c.json({
    tenant_usages: tenantUsagesView(usages, window, detailed),
    ...(next ? { tenant_usages_links: next } : {}),
  });
});

usageRoutes.get('/:id', async (c) => {
  const { window, page } = askedOf(c);
  const projectId = c.req.param('id');
  const usages = await showTenantUsage(actorOf(c), projectId, window, page);
  const [usage = {}] = tenantUsagesView(usages, window, true);
  const next = linkOf(c, `os-simple-tenant-usage/${projectId}`, page, usages);
  return c.json({ tenant_usage: usage, ...(next ? { tenant_usage_links: next } : {}) });
});
