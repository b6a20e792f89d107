import { Hono } from 'hono';
import { type AppEnv, actorContext } from '../../../http/context.ts';
import { checkValue, readMember } from '../../http/body.ts';
import { queryOf, renderWhole } from '../../http/collection.ts';
import { federationUrl, word } from '../names.ts';
import {
  createServiceProvider,
  deleteServiceProvider,
  listServiceProviders,
  type ServiceProviderRow,
  serviceProviderToCreate,
  serviceProviderToUpdate,
  showServiceProvider,
  updateServiceProvider,
} from './save-service-provider.ts';

/** Other clouds that trust this one. They are kept and shown; nothing here makes the SAML that would log in to them. */
export const serviceProviderRoutes = new Hono<AppEnv>()
  .get('/', async (c) => {
    const ctx = actorContext(c);
    const rows = await listServiceProviders(ctx, queryOf(c));
    return renderWhole(
      c,
      'service_providers',
      rows.map((row) => serviceProviderView(ctx.baseUrl, row)),
    );
  })
  .get('/:id', async (c) => {
    const ctx = actorContext(c);
    return c.json({
      service_provider: serviceProviderView(ctx.baseUrl, await showServiceProvider(ctx, c.req.param('id'))),
    });
  })
  .put('/:id', async (c) => {
    const ctx = actorContext(c);
    const id = checkValue(c.req.param('id'), word);
    const input = await readMember(c, 'service_provider', serviceProviderToCreate);
    const row = await createServiceProvider(ctx, { id, ...input });
    return c.json({ service_provider: serviceProviderView(ctx.baseUrl, row) }, 201);
  })
  .patch('/:id', async (c) => {
    const ctx = actorContext(c);
    const change = await readMember(c, 'service_provider', serviceProviderToUpdate);
    const row = await updateServiceProvider(ctx, { id: c.req.param('id'), change });
    return c.json({ service_provider: serviceProviderView(ctx.baseUrl, row) });
  })
  .delete('/:id', async (c) => {
    await deleteServiceProvider(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  });

const serviceProviderView = (baseUrl: string, row: ServiceProviderRow) => ({
  id: row.id,
  auth_url: row.authUrl,
  sp_url: row.spUrl,
  description: row.description,
  enabled: row.enabled,
  relay_state_prefix: row.relayStatePrefix,
  links: { self: federationUrl(baseUrl, 'service_providers', row.id) },
});
