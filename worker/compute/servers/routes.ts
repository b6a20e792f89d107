import { Hono } from 'hono';
import { requireProject } from '../../http/policy.ts';
import { actorOf, type ComputeContext, type ComputeEnv, type Rendering, renderingOf } from '../http/env.ts';
import { nextLink } from '../http/paging.ts';
import { checkedBody } from '../http/validate.ts';
import { serverAction } from './action-routes.ts';
import { createServerBody } from './create-schema.ts';
import { createServers } from './create-server.ts';
import { deleteServer } from './delete-server.ts';
import { generatePassword } from './generated-text.ts';
import { type Listed, listServerDetails, listServers } from './list-servers.ts';
import { newServerOf } from './new-server.ts';
import { showServer } from './show-server.ts';
import { subRoutes } from './sub-routes.ts';
import { updateServer, updateServerBody } from './update-server.ts';
import { basicView, createdView, serverView } from './views.ts';

/** `/servers` and what lies under a server. */
export const serverRoutes = new Hono<ComputeEnv>();

function answer<Row extends { id: string }>(
  c: ComputeContext,
  collection: string,
  { rows, page }: Listed<Row>,
  view: (row: Row, rendering: Rendering) => object,
): Response {
  const rendering = renderingOf(c);
  const ids = rows.map((row) => row.id);
  const next = nextLink(rendering.links, collection, c.req.queries(), page, ids);
  return c.json({ servers: rows.map((row) => view(row, rendering)), ...(next ? { servers_links: next } : {}) });
}

serverRoutes.get('/', async (c) => {
  const listed = await listServers(actorOf(c), { query: c.req.queries(), version: c.get('microversion') });
  return answer(c, 'servers', listed, basicView);
});

serverRoutes.get('/detail', async (c) => {
  const listed = await listServerDetails(actorOf(c), { query: c.req.queries(), version: c.get('microversion') });
  const of = { nowMs: c.get('ctx').clock.nowMs(), form: 'detail' as const };
  return answer(c, 'servers/detail', listed, (row, rendering) => serverView(row, rendering, of));
});

serverRoutes.post('/', async (c) => {
  const rendering = renderingOf(c);
  const ctx = requireProject(actorOf(c));
  const body = await checkedBody(c, createServerBody(rendering.version));
  const wanted = newServerOf(ctx, body, rendering.version);
  const created = await createServers(ctx, wanted);
  if (body.server.return_reservation_id) return c.json({ reservation_id: created.reservationId }, 202);
  const groups = (body.server.security_groups ?? [{ name: 'default' }]) as { name: string }[];
  const adminPass = body.server.adminPass ?? generatePassword();
  const answer = createdView({ ...wanted, id: created.id, securityGroups: groups, adminPass }, rendering);
  return c.json(answer, 202, { location: `${rendering.links.self}/servers/${created.id}` });
});

serverRoutes.get('/:id', async (c) => {
  const rendering = renderingOf(c);
  const row = await showServer(actorOf(c), c.req.param('id'), rendering.version);
  return c.json({ server: serverView(row, rendering, { nowMs: c.get('ctx').clock.nowMs(), form: 'show' }) });
});

serverRoutes.put('/:id', async (c) => {
  const rendering = renderingOf(c);
  const { server } = await checkedBody(c, updateServerBody(rendering.version));
  const row = await updateServer(actorOf(c), c.req.param('id'), server, rendering.version);
  return c.json({ server: serverView(row, rendering, { nowMs: c.get('ctx').clock.nowMs(), form: 'updated' }) });
});

serverRoutes.delete('/:id', async (c) => {
  await deleteServer(actorOf(c), c.req.param('id'));
  return c.body(null, 204);
});

serverRoutes.post('/:id/action', serverAction);
serverRoutes.route('/:id', subRoutes);
