import { and } from 'drizzle-orm';
import { Hono } from 'hono';
import { identityProviders } from '../../../../db/schema/federation.ts';
import { type AppContext, type AppEnv, actorContext } from '../../../http/context.ts';
import { checkValue, readBody, readMember } from '../../http/body.ts';
import { queryOf, renderWhole } from '../../http/collection.ts';
import { enabledFilter, textFilters } from '../../http/filters.ts';
import { authorize } from '../../policy.ts';
import { word } from '../names.ts';
import { redirectUri } from '../oidc/redirect-uri.ts';
import { providerToCreate, providerToUpdate } from './body.ts';
import { createProvider } from './create-provider.ts';
import { deleteProvider } from './delete-provider.ts';
import { listProviders, type ProviderRow, showProvider } from './find-provider.ts';
import { updateProvider } from './update-provider.ts';
import { providerView } from './views.ts';

export const identityProviderRoutes = new Hono<AppEnv>()
  .get('/', async (c) => {
    const ctx = actorContext(c);
    authorize(ctx, 'identity:list_identity_providers');
    const query = queryOf(c);
    const wanted = and(
      enabledFilter(query, identityProviders.enabled),
      ...textFilters(query, 'id', identityProviders.id),
    );
    const rows = await listProviders(ctx.db, wanted);
    return renderWhole(
      c,
      'identity_providers',
      rows.map((row) => viewOf(c, row)),
    );
  })
  .get('/:id', async (c) =>
    c.json({ identity_provider: viewOf(c, await showProvider(actorContext(c), c.req.param('id'))) }),
  )
  .put('/:id', async (c) => {
    const ctx = actorContext(c);
    const { identity_provider: given = {} } = await readBody(c);
    const id = checkValue(c.req.param('id'), word);
    const row = await createProvider(ctx, { id, ...checkValue(given, providerToCreate) });
    return c.json({ identity_provider: viewOf(c, row) }, 201);
  })
  .patch('/:id', async (c) => {
    const input = await readMember(c, 'identity_provider', providerToUpdate);
    const row = await updateProvider(actorContext(c), { id: c.req.param('id'), ...input });
    return c.json({ identity_provider: viewOf(c, row) });
  })
  .delete('/:id', async (c) => {
    await deleteProvider(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  });

const viewOf = (c: AppContext, row: ProviderRow) => providerView(c.get('ctx').baseUrl, redirectUri(c.get('ctx')), row);
