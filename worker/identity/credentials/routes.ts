import { and } from 'drizzle-orm';
import { Hono } from 'hono';
import { credentials } from '../../../db/schema/delegation.ts';
import { type AppEnv, actorContext } from '../../http/context.ts';
import { readMember } from '../http/body.ts';
import { afterMarker, pageOf, queryOf, renderCollection } from '../http/collection.ts';
import { textFilters } from '../http/filters.ts';
import { authorize } from '../policy.ts';
import { credentialToCreate, credentialToUpdate } from './credential-body.ts';
import { credentialView, findCredential, visibleCredentials } from './read-credentials.ts';
import { createCredential, deleteCredential, updateCredential } from './write-credentials.ts';

export const credentialRoutes = new Hono<AppEnv>()
  .get('/', async (c) => {
    const ctx = actorContext(c);
    const query = queryOf(c);
    const page = pageOf(query);
    authorize(ctx, 'identity:list_credentials', { userId: ctx.actor.userId });
    const condition = and(
      ...textFilters(query, 'user_id', credentials.userId),
      ...textFilters(query, 'type', credentials.type),
      afterMarker(credentials.id, page),
    );
    const found = await visibleCredentials(ctx, condition, page.limit + 1);
    return renderCollection(c, 'credentials', found, page, (row) => credentialView(ctx.baseUrl, row));
  })
  .post('/', async (c) => {
    const ctx = actorContext(c);
    const made = await createCredential(ctx, await readMember(c, 'credential', credentialToCreate));
    return c.json({ credential: credentialView(ctx.baseUrl, made) }, 201);
  })
  .get('/:id', async (c) => {
    const ctx = actorContext(c);
    const found = await findCredential(ctx, c.req.param('id'), 'identity:get_credential');
    return c.json({ credential: credentialView(ctx.baseUrl, found) });
  })
  .patch('/:id', async (c) => {
    const ctx = actorContext(c);
    const changed = await updateCredential(
      ctx,
      c.req.param('id'),
      await readMember(c, 'credential', credentialToUpdate),
    );
    return c.json({ credential: credentialView(ctx.baseUrl, changed) });
  })
  .delete('/:id', async (c) => {
    await deleteCredential(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  });
