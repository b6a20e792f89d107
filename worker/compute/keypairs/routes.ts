import { Hono } from 'hono';
import { actorOf, type ComputeContext, type ComputeEnv, renderingOf } from '../http/env.ts';
import { nextLink, pageOf, refuseUnknown } from '../http/paging.ts';
import { checkedBody } from '../http/validate.ts';
import { createKeypair } from './create-keypair.ts';
import { deleteKeypair, listKeypairs, showKeypair } from './find-keypairs.ts';
import { keypairBody } from './schemas.ts';
import { createdKeypairView, keypairView, listedKeypairView } from './views.ts';

/** `/os-keypairs`: each user's own; from 2.10 an admin may name another user. */
export const keypairRoutes = new Hono<ComputeEnv>();

function userOf(c: ComputeContext, alsoKnown: string[] = []): string {
  refuseUnknown(c.req.queries(), ['user_id', ...alsoKnown], c.get('microversion'));
  const named = c.get('microversion') >= 10 ? c.req.query('user_id') : undefined;
  return named ?? c.get('actor').userId;
}

keypairRoutes.get('/', async (c) => {
  const query = c.req.queries();
  const rendering = renderingOf(c);
  const page = rendering.version >= 35 ? pageOf(query) : null;
  const rows = await listKeypairs(actorOf(c), userOf(c, ['limit', 'marker']), page);
  const names = rows.map((row) => row.name);
  const next = page ? nextLink(rendering.links, 'os-keypairs', query, page, names) : undefined;
  return c.json({
    keypairs: rows.map((row) => ({ keypair: listedKeypairView(row, rendering) })),
    ...(next ? { keypairs_links: next } : {}),
  });
});

keypairRoutes.post('/', async (c) => {
  const rendering = renderingOf(c);
  const { keypair } = await checkedBody(c, keypairBody(rendering.version));
  const { row, privateKey } = await createKeypair(actorOf(c), keypair);
  return c.json({ keypair: createdKeypairView(row, privateKey, rendering) }, rendering.version >= 2 ? 201 : 200);
});

keypairRoutes.get('/:name', async (c) => {
  const row = await showKeypair(actorOf(c), userOf(c), c.req.param('name'));
  return c.json({ keypair: keypairView(row, renderingOf(c)) });
});

keypairRoutes.delete('/:name', async (c) => {
  await deleteKeypair(actorOf(c), userOf(c), c.req.param('name'));
  return c.body(null, c.get('microversion') >= 2 ? 204 : 202);
});
