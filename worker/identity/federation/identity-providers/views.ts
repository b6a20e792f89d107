import { federationUrl } from '../names.ts';
import { oidcView } from '../oidc/settings.ts';
import type { ProviderRow } from './find-provider.ts';

/** An identity provider as the API shows it: as in Keystone, and `oidc` where that has been set. */
export function providerView(baseUrl: string, redirectUri: string, row: ProviderRow) {
  const self = federationUrl(baseUrl, 'identity_providers', row.id);
  return {
    id: row.id,
    domain_id: row.domainId,
    enabled: row.enabled,
    description: row.description,
    remote_ids: row.remoteIds,
    authorization_ttl: row.authorizationTtl,
    ...(row.oidc ? { oidc: oidcView(row.oidc, { hasSecret: row.clientSecretSealed !== null, redirectUri }) } : {}),
    links: { self, protocols: `${self}/protocols` },
  };
}
