import type { OidcSettings } from '../../../../db/schema/federation.ts';
import type { Context } from '../../../http/context.ts';
import { unseal } from '../../sealed.ts';
import { askProvider } from './ask-provider.ts';
import type { Document } from './document-cache.ts';
import type { Metadata } from './metadata.ts';
import { ProviderFault } from './provider-fault.ts';
import { secretPurpose } from './settings.ts';

/** An identity provider as far as speaking with it needs. */
export interface OidcProvider {
  id: string;
  oidc: OidcSettings;
  clientSecretSealed: string | null;
}

/** Posts a form to an endpoint of a provider, as the client that the operator registered there. @throws ProviderFault */
export async function postAsClient(
  ctx: Context,
  provider: OidcProvider,
  { endpoint, metadata, form }: { endpoint: string; metadata: Metadata; form: Record<string, string> },
): Promise<Document> {
  const secret = await secretOf(ctx, provider);
  const { clientId } = provider.oidc;
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const basic =
    secret !== undefined && (methods.includes('client_secret_basic') || !methods.includes('client_secret_post'));
  const body = new URLSearchParams({
    ...form,
    ...(basic ? {} : { client_id: clientId }),
    ...(basic || secret === undefined ? {} : { client_secret: secret }),
  });
  return askProvider(ctx, endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(basic ? { authorization: basicAuth(clientId, secret) } : {}),
    },
    body: body.toString(),
  });
}

async function secretOf(ctx: Context, { id, clientSecretSealed }: OidcProvider): Promise<string | undefined> {
  if (clientSecretSealed === null) return undefined;
  const secret = await unseal(ctx, secretPurpose(id), clientSecretSealed);
  if (secret === undefined)
    throw new ProviderFault(`the client secret of ${id} is sealed with another TOKEN_KEY: set it again`);
  return secret;
}

/** RFC 6749 2.3.1: both parts are written as in a form first. */
function basicAuth(id: string, secret: string): string {
  const encoded = [id, secret].map((part) => new URLSearchParams({ '': part }).toString().slice(1)).join(':');
  return `Basic ${Buffer.from(encoded).toString('base64')}`;
}
