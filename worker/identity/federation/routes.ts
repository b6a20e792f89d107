import { Hono } from 'hono';
import type { AppEnv } from '../../http/context.ts';
import { identityProviderRoutes } from './identity-providers/routes.ts';
import { mappingRoutes } from './mappings/routes.ts';
import { protocolRoutes } from './protocols/routes.ts';
import { serviceProviderRoutes } from './service-providers/routes.ts';

/** What of OS-FEDERATION needs a token. */
export const federationRoutes = new Hono<AppEnv>()
  .route('/identity_providers', identityProviderRoutes)
  .route('/identity_providers', protocolRoutes)
  .route('/mappings', mappingRoutes)
  .route('/service_providers', serviceProviderRoutes);
