import { createExecutionContext, env } from 'cloudflare:test';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { app } from '../worker/app.ts';
import type { Env } from '../worker/env.ts';
import { ORIGIN } from './edge-client.ts';
import { type Answer, freshName, must } from './edge-identity.ts';

export const CLIENT = { id: 'cloud', secret: 'hush: it is & secret' };
export const DASHBOARD = 'https://horizon.example.org/auth/websso/';

/** What a call to the provider was answered with, in place of what it would have been. */
type Answering = (request: Request) => Response | Promise<Response> | undefined;

/** An identity provider that speaks OpenID Connect, inside the runtime under test. */
export class EdgeProvider {
  readonly issuer = `https://${freshName('sso')}.example.org`;
  /** Every request that it got, as `METHOD path`. */
  readonly asked: string[] = [];
  /** Opaque tokens and codes that it knows, with what is said of them. */
  readonly known = new Map<string, object>();
  instead: Answering = () => undefined;
  #key: CryptoKey | undefined;
  #jwk: object = {};

  async start(): Promise<this> {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    this.#key = privateKey;
    this.#jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' };
    return this;
  }

  /** A token that it signs. */
  token(claims: JWTPayload): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ iss: this.issuer, aud: CLIENT.id, iat: now, exp: now + 300, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .sign(this.#key as CryptoKey);
  }

  /** What stands for the way out to it. */
  readonly fetcher = {
    fetch: async (url: string, init: RequestInit) => {
      const request = new Request(url, init);
      const { pathname } = new URL(url);
      this.asked.push(`${request.method} ${pathname}`);
      return (await this.instead(request)) ?? this.#answer(request, pathname);
    },
  };

  async #answer(request: Request, path: string): Promise<Response> {
    const at = (name: string) => `${this.issuer}/${name}`;
    switch (path) {
      case '/.well-known/openid-configuration':
        return Response.json({
          issuer: this.issuer,
          jwks_uri: at('jwks'),
          authorization_endpoint: `${at('authorize')}?tenant=a`,
          token_endpoint: at('token'),
          introspection_endpoint: at('introspect'),
          userinfo_endpoint: at('userinfo'),
        });
      case '/jwks':
        return Response.json({ keys: [this.#jwk] });
      case '/introspect':
      case '/token': {
        const expected = `Basic ${btoa(`cloud:hush%3A+it+is+%26+secret`)}`;
        if (request.headers.get('authorization') !== expected) return new Response('who?', { status: 401 });
        const form = new URLSearchParams(new TextDecoder().decode(await request.arrayBuffer()));
        if (path === '/introspect') return Response.json(this.known.get(form.get('token') ?? '') ?? { active: false });
        const grant = this.known.get(form.get('code') ?? '');
        this.known.delete(form.get('code') ?? '');
        return grant
          ? Response.json({ ...grant, form: undefined })
          : Response.json({ error: 'invalid_grant' }, { status: 400 });
      }
      case '/userinfo': {
        const said = this.known.get(`userinfo ${request.headers.get('authorization')}`);
        return said ? Response.json(said) : new Response(null, { status: 401 });
      }
      default:
        return new Response(null, { status: 404 });
    }
  }
}

/** Calls the API as `keystone` does, with the way out leading to a provider. */
export async function keystoneBeside(
  provider: EdgeProvider,
  method: string,
  path: string,
  options: { headers?: Record<string, string>; env?: Partial<Env> } = {},
): Promise<Answer> {
  const bindings = { ...env, TRUSTED_DASHBOARDS: DASHBOARD, IDENTITY_PROVIDERS: provider.fetcher, ...options.env };
  const request = new Request(`${ORIGIN}/identity/v3${path}`, { method, headers: options.headers ?? {} });
  const response = await app.fetch(request, bindings as unknown as Env, createExecutionContext());
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') && text !== '';
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/** A cloud's side of a provider: it is registered, with a mapping, by the protocol `openid`. */
export async function registered(
  provider: EdgeProvider,
  {
    rules,
    schema_version,
    idp = {},
    oidc = {},
  }: { rules: object[]; schema_version?: string; idp?: object; oidc?: object },
) {
  const id = freshName('idp');
  const mapping = freshName('map');
  const path = `/OS-FEDERATION/identity_providers/${id}`;
  const settings = { issuer: provider.issuer, client_id: CLIENT.id, client_secret: CLIENT.secret, ...oidc };
  await must('PUT', `/OS-FEDERATION/mappings/${mapping}`, {
    body: { mapping: { rules, ...(schema_version ? { schema_version } : {}) } },
  });
  const made = await must('PUT', path, { body: { identity_provider: { enabled: true, oidc: settings, ...idp } } });
  await must('PUT', `${path}/protocols/openid`, { body: { protocol: { mapping_id: mapping } } });
  const auth = `${path}/protocols/openid/auth`;
  return {
    id,
    path,
    mapping,
    auth,
    domainId: made.body.identity_provider.domain_id as string,
    /** Logs in with a token of the provider's. */
    logIn: (token: string) => keystoneBeside(provider, 'POST', auth, { headers: { authorization: `Bearer ${token}` } }),
  };
}
