import { Hono } from 'hono';
import { actorOf, type ComputeContext, type ComputeEnv, renderingOf } from '../http/env.ts';
import { nextLink } from '../http/paging.ts';
import { listServers } from './list-servers.ts';
import { showServer } from './show-server.ts';
import { basicView, serverView } from './views.ts';

/** `/servers` and what lies under a server, but for actions. */
export const serverRoutes = new Hono<ComputeEnv>();

async function list(c: ComputeContext, detail: boolean): Promise<Response> {
  const query = c.req.queries();
  const rendering = renderingOf(c);
  const nowMs = c.get('ctx').clock.nowMs();
  const { rows, page } = await listServers(actorOf(c), { query, version: rendering.version, detail });
  const servers = rows.map((row) =>
    detail ? serverView(row, rendering, { nowMs, form: 'detail' }) : basicView(row, rendering),
  );
  const ids = rows.map((row) => row.id);
  const next = nextLink(rendering.links, detail ? 'servers/detail' : 'servers', query, page, ids);
  return c.json({ servers, ...(next ? { servers_links: next } : {}) });
}

serverRoutes.get('/', (c) => list(c, false));
serverRoutes.get('/detail', (c) => list(c, true));

serverRoutes.get('/:id', async (c) => {
  const rendering = renderingOf(c);
  const row = await showServer(actorOf(c), c.req.param('id'), rendering.version);
  return c.json({ server: serverView(row, rendering, { nowMs: c.get('ctx').clock.nowMs(), form: 'show' }) });
});
