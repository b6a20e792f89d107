import { z } from 'zod';
import type { OidcSettings } from '../../../../db/schema/federation.ts';
import type { Context } from '../../../http/context.ts';
import { publishedAt } from './ask-provider.ts';
import { ProviderFault } from './provider-fault.ts';

const endpoint = z.string();
const metadata = z.object({
  issuer: z.string(),
  jwks_uri: endpoint,
  authorization_endpoint: endpoint.optional(),
  token_endpoint: endpoint.optional(),
  introspection_endpoint: endpoint.optional(),
  userinfo_endpoint: endpoint.optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
});
export type Metadata = z.infer<typeof metadata>;

/** What a provider says of itself. @throws ProviderFault also when it says that it is another */
export async function metadataOf(ctx: Context, { issuer, discoveryUrl }: OidcSettings): Promise<Metadata> {
  const url = discoveryUrl ?? `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const { data, error } = metadata.safeParse(await publishedAt(ctx, url));
  if (!data) throw new ProviderFault(`${url} is no metadata: ${error?.issues[0]?.path.join('.')} is missing or wrong`);
  const endpoints = Object.entries(data).filter(([name]) => /_(uri|endpoint)$/.test(name));
  // Only a provider on this machine may lead to this machine.
  const inside = endpoints.find(([, at]) => issuer.startsWith('https:') && !String(at).startsWith('https:'));
  if (inside) throw new ProviderFault(`${url}: ${inside[0]} is not https://`);
  if (data.issuer !== issuer) throw new ProviderFault(`${url} is of the issuer ${data.issuer}, not of ${issuer}`);
  return data;
}
