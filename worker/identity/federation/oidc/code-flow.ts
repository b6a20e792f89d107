import { createHash } from 'node:crypto';
import type { Context } from '../../../http/context.ts';
import { ProviderRefusal } from './ask-provider.ts';
import type { Claims } from './claims.ts';
import { claimsOfJwt, userinfo } from './claims-of-token.ts';
import { type OidcProvider, postAsClient } from './client.ts';
import { metadataOf } from './metadata.ts';
import { ProviderFault, TokenRefused } from './provider-fault.ts';
import { redirectUri } from './redirect-uri.ts';
import { isSafeUrl } from './settings.ts';

const CODE_CHARS_MAX = 4_096;

/** What ties a code to the log-in that it was asked for. */
interface Ties {
  nonce: string;
  /** RFC 7636: whose hash the provider is told first. */
  verifier: string;
}

/** Where a browser logs in at a provider. @throws ProviderFault */
export async function authorizationUrl(
  ctx: Context,
  { oidc }: OidcProvider,
  { state, nonce, verifier }: Ties & { state: string },
): Promise<string> {
  const { authorization_endpoint: endpoint } = await metadataOf(ctx, oidc);
  if (!endpoint || !isSafeUrl(endpoint)) throw new ProviderFault('the identity provider has no authorization endpoint');
  const url = new URL(endpoint);
  const query = {
    response_type: 'code',
    client_id: oidc.clientId,
    redirect_uri: redirectUri(ctx),
    scope: oidc.scope,
    state,
    nonce,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.toString();
}

/**
 * What a provider says of whoever brought a code of it: its ID token, and its userinfo where it has that.
 * @throws TokenRefused, ProviderFault
 */
export async function claimsOfCode(
  ctx: Context,
  provider: OidcProvider,
  { code, nonce, verifier }: Ties & { code: string },
): Promise<Claims> {
  if (code.length > CODE_CHARS_MAX) throw new TokenRefused('this is no code');
  const metadata = await metadataOf(ctx, provider.oidc);
  const endpoint = metadata.token_endpoint;
  if (!endpoint) throw new ProviderFault('the identity provider has no token endpoint');
  const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri(ctx), code_verifier: verifier };
  const tokens = await postAsClient(ctx, provider, { endpoint, metadata, form }).catch((error: unknown) => {
    const refused = error instanceof ProviderRefusal && error.status === 400;
    throw refused ? new TokenRefused(`the identity provider refused the code: ${error.message}`) : error;
  });
  if (typeof tokens.id_token !== 'string') throw new ProviderFault('the identity provider gave no ID token for a code');
  const own = { ...provider, oidc: { ...provider.oidc, audiences: [] } };
  const claims = await claimsOfJwt(ctx, own, metadata, tokens.id_token);
  if (claims.nonce !== nonce) throw new TokenRefused('the ID token is of another log-in: its nonce differs');
  if (claims.azp !== undefined && claims.azp !== provider.oidc.clientId)
    throw new TokenRefused('the ID token was issued to another client');
  if (!metadata.userinfo_endpoint || typeof tokens.access_token !== 'string') return claims;
  return { ...(await userinfo(ctx, metadata, tokens.access_token, claims.sub)), ...claims };
}
