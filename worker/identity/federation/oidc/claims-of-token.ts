import type { Context } from '../../../http/context.ts';
import { askProvider, ProviderRefusal, publishedAt } from './ask-provider.ts';
import type { Claims } from './claims.ts';
import { type OidcProvider, postAsClient } from './client.ts';
import { type Metadata, metadataOf } from './metadata.ts';
import { ProviderFault, TokenRefused } from './provider-fault.ts';
import { verifyJwt } from './verify-jwt.ts';

/** Longer tokens are refused unread. */
const TOKEN_CHARS_MAX = 16_384;
const BEARER_TOKEN = /^[\w\-.~+/]+=*$/;
const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/**
 * What a provider says of whoever holds a token of it: an ID token or an access token that it signed, or an opaque access
 * token, of which it is asked.
 * @throws TokenRefused, ProviderFault
 */
export async function claimsOfToken(ctx: Context, provider: OidcProvider, token: string): Promise<Claims> {
  if (token.length > TOKEN_CHARS_MAX || !BEARER_TOKEN.test(token)) throw new TokenRefused('this is no token');
  const metadata = await metadataOf(ctx, provider.oidc);
  return JWT.test(token) ? claimsOfJwt(ctx, provider, metadata, token) : claimsOfOpaque(ctx, provider, metadata, token);
}

/** @throws TokenRefused, ProviderFault */
export function claimsOfJwt(ctx: Context, { oidc }: OidcProvider, metadata: Metadata, token: string): Promise<Claims> {
  return verifyJwt(token, {
    issuer: oidc.issuer,
    audiences: audiencesOf(oidc),
    nowMs: ctx.clock.nowMs(),
    keys: (maxAgeMs) => publishedAt(ctx, metadata.jwks_uri, maxAgeMs),
  });
}

async function claimsOfOpaque(
  ctx: Context,
  provider: OidcProvider,
  metadata: Metadata,
  token: string,
): Promise<Claims> {
  const { issuer, opaqueTokens } = provider.oidc;
  if (opaqueTokens === 'userinfo') return { ...(await userinfo(ctx, metadata, token)), iss: issuer };
  const introspected = await introspect(ctx, provider, metadata, token);
  const more = metadata.userinfo_endpoint ? await userinfo(ctx, metadata, token, introspected.sub) : {};
  return { ...introspected, ...more, iss: issuer };
}

/** RFC 7662, and that the token is one for us. */
async function introspect(ctx: Context, provider: OidcProvider, metadata: Metadata, token: string): Promise<Claims> {
  const endpoint = metadata.introspection_endpoint;
  if (!endpoint) throw new ProviderFault(`${provider.id} has no introspection endpoint for its opaque tokens`);
  const form = { token, token_type_hint: 'access_token' };
  const said = await postAsClient(ctx, provider, { endpoint, metadata, form });
  if (said.active !== true) throw new TokenRefused('the token is not, or no longer, good');
  if (said.iss !== undefined && said.iss !== provider.oidc.issuer)
    throw new TokenRefused('the token is of another issuer');
  if (typeof said.exp === 'number' && said.exp * 1000 <= ctx.clock.nowMs())
    throw new TokenRefused('the token has expired');
  if (typeof said.sub !== 'string' || said.sub === '') throw new TokenRefused('the token is of nobody');
  // Without an audience it is good for whom it was issued to.
  const meant = [said.aud ?? said.client_id].flat();
  if (!audiencesOf(provider.oidc).some((audience) => meant.includes(audience)))
    throw new TokenRefused('the token is for another audience');
  return said;
}

/** @throws TokenRefused also when the provider says this of somebody else than `sub` */
export async function userinfo(ctx: Context, metadata: Metadata, token: string, sub?: unknown): Promise<Claims> {
  const endpoint = metadata.userinfo_endpoint;
  if (!endpoint) throw new ProviderFault('the identity provider has no userinfo endpoint');
  const said = await askProvider(ctx, endpoint, { headers: { authorization: `Bearer ${token}` } }).catch(
    (error: unknown) => {
      const refused = error instanceof ProviderRefusal && [400, 401, 403].includes(error.status);
      throw refused ? new TokenRefused(`the identity provider refused it: ${error.message}`) : error;
    },
  );
  if (typeof said.sub !== 'string' || said.sub === '') throw new TokenRefused('the token is of nobody');
  if (sub !== undefined && said.sub !== sub) throw new TokenRefused('the token is of another than its userinfo');
  return said;
}

const audiencesOf = ({ clientId, audiences }: OidcProvider['oidc']): string[] => [clientId, ...audiences];
