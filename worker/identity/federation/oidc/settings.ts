import { z } from 'zod';
import type { OidcSettings } from '../../../../db/schema/federation.ts';

const URL_CHARS_MAX = 1_024;
const TEXT_CHARS_MAX = 1_024;
const AUDIENCES_MAX = 32;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Whether secrets and tokens may go there: by TLS, or without leaving this machine. */
export function isSafeUrl(text: string): boolean {
  const url = URL.parse(text);
  if (!url || url.username || url.password || url.hash) return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname));
}

const endpoint = z
  .string()
  .max(URL_CHARS_MAX)
  .refine(isSafeUrl, 'it is no https:// URL (http:// is taken for this machine alone: 127.0.0.1, localhost)');
const text = z.string().min(1, 'it is too short').max(TEXT_CHARS_MAX);

/** `oidc` of an identity provider. `client_secret`: absent keeps what is stored, null makes it a public client. */
export const oidcBody = z
  .strictObject({
    issuer: endpoint,
    discovery_endpoint: endpoint.optional(),
    client_id: text,
    client_secret: text.nullable().optional(),
    audiences: z.array(text).max(AUDIENCES_MAX).optional(),
    scope: text.regex(/(^| )openid( |$)/, 'it does not ask for openid').optional(),
    opaque_tokens: z.enum(['introspection', 'userinfo'], 'it is neither "introspection" nor "userinfo"').optional(),
  })
  .transform(({ issuer, discovery_endpoint, client_id, client_secret, audiences, scope, opaque_tokens }) => {
    const settings: OidcSettings = {
      issuer,
      ...(discovery_endpoint === undefined ? {} : { discoveryUrl: discovery_endpoint }),
      clientId: client_id,
      audiences: audiences ?? [],
      scope: scope ?? 'openid email profile',
      opaqueTokens: opaque_tokens ?? 'introspection',
    };
    return { settings, clientSecret: client_secret };
  });
export type OidcInput = z.infer<typeof oidcBody>;

/** The purpose under which a provider's client secret is sealed. */
export const secretPurpose = (idpId: string): string => `client secret of ${idpId}`;

/** The settings as the API shows them, without the secret. */
export function oidcView(settings: OidcSettings, of: { hasSecret: boolean; redirectUri: string }) {
  return {
    issuer: settings.issuer,
    ...(settings.discoveryUrl === undefined ? {} : { discovery_endpoint: settings.discoveryUrl }),
    client_id: settings.clientId,
    has_client_secret: of.hasSecret,
    audiences: settings.audiences,
    scope: settings.scope,
    opaque_tokens: settings.opaqueTokens,
    redirect_uri: of.redirectUri,
  };
}
