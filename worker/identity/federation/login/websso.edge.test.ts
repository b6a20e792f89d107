import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { freshName, must, validate } from '../../../../test/edge-identity.ts';
import { DASHBOARD, EdgeProvider, keystoneBeside, registered } from '../../../../test/edge-provider.ts';

const RULES = [{ local: [{ user: { name: '{0}' } }], remote: [{ type: 'OIDC-name' }] }];
const ORIGIN = `origin=${encodeURIComponent(DASHBOARD)}`;
let provider: EdgeProvider;
let cloud: Awaited<ReturnType<typeof registered>>;
let websso = '';
beforeAll(async () => {
  provider = await new EdgeProvider().start();
  cloud = await registered(provider, { rules: RULES });
  websso = `/auth${cloud.path}/protocols/openid/websso`;
});

/** Begins a log-in. @returns what the provider is asked, and the cookie */
async function begin() {
  const answer = await keystoneBeside(provider, 'GET', `${websso}?${ORIGIN}`);
  expect(answer.status).toBe(302);
  const location = new URL(answer.headers.get('location') ?? '');
  const setCookie = answer.headers.get('set-cookie') ?? '';
  return { location, asked: location.searchParams, setCookie, cookie: setCookie.split(';')[0] ?? '' };
}
type Begun = Awaited<ReturnType<typeof begin>>;

/** What the provider knows a code by: its ID token and its userinfo. */
async function newCode({ asked }: Begun, claims: Record<string, unknown> = {}, userinfo: object = {}) {
  const [code, access] = [freshName('code'), freshName('access')];
  const sub = freshName('ann');
  const id_token = await provider.token({ sub, nonce: asked.get('nonce') ?? '', ...claims });
  provider.known.set(code, { id_token, access_token: access, token_type: 'Bearer' });
  provider.known.set(`userinfo Bearer ${access}`, { sub, name: `Name of ${sub}`, ...userinfo });
  return { code, name: `Name of ${sub}` };
}
const back = (query: Record<string, string>, cookie: string, env = {}) =>
  keystoneBeside(provider, 'GET', `/redirect_uri?${new URLSearchParams(query)}`, { headers: { cookie }, env });

describe('a log-in by browser', () => {
  test('goes to the provider, and with its code to the dashboard', async () => {
    const begun = await begin();
    const { location, asked, setCookie } = begun;
    expect(`${location.origin}${location.pathname}`).toBe(`${provider.issuer}/authorize`);
    expect(Object.fromEntries(asked)).toEqual({
      tenant: 'a',
      response_type: 'code',
      client_id: 'cloud',
      redirect_uri: 'http://edge.test/identity/v3/redirect_uri',
      scope: 'openid email profile',
      state: expect.stringMatching(/^[0-9a-f]{32}$/),
      nonce: expect.stringMatching(/^[0-9a-f]{64}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
    expect(setCookie).toMatch(/; Max-Age=600; Path=\/identity\/v3\/redirect_uri; HttpOnly; SameSite=Lax$/);
    expect(setCookie).not.toContain(asked.get('nonce'));

    let form = new URLSearchParams();
    provider.instead = (request) => {
      if (!request.url.endsWith('/token')) return undefined;
      return request
        .clone()
        .arrayBuffer()
        .then((bytes) => {
          form = new URLSearchParams(new TextDecoder().decode(bytes));
          return Response.json(provider.known.get(form.get('code') ?? '') ?? {});
        }) as unknown as Response;
    };
    const { code, name } = await newCode(begun);
    const page = await back({ code, state: asked.get('state') ?? '' }, begun.cookie);
    provider.instead = () => undefined;
    expect(form.get('redirect_uri')).toBe(asked.get('redirect_uri'));
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    expect(challenge).toBe(asked.get('code_challenge'));
    expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'nonce-/);
    expect(page.headers.get('set-cookie')).toMatch(
      /^websso_[0-9a-f]{32}=; Max-Age=0; Path=\/identity\/v3\/redirect_uri/,
    );
    expect(page.body).toContain(`<form id="sso" name="sso" action="${DASHBOARD}" method="post">`);
    const token = /name="token" id="token" value="([^"]*)"/.exec(page.body)?.[1] ?? '';
    const { user, methods } = (await validate(token)).body.token;
    expect([user.name, methods]).toEqual([name, ['openid']]);
    expect(user['OS-FEDERATION'].identity_provider.id).toBe(cloud.id);
  });

  test('begins by POST, too, and under a region and TLS', async () => {
    expect((await keystoneBeside(provider, 'POST', `${websso}?${ORIGIN}`)).status).toBe(302);
    const env = { PUBLIC_URL: 'https://cloud.example.org/api' };
    const answer = await keystoneBeside(provider, 'GET', `${websso}?${ORIGIN}`, { env });
    const asked = new URL(answer.headers.get('location') ?? '').searchParams;
    expect(asked.get('redirect_uri')).toBe('https://cloud.example.org/api/identity/v3/redirect_uri');
    expect(answer.headers.get('set-cookie')).toMatch(
      /Path=\/api\/identity\/v3\/redirect_uri; HttpOnly; Secure; SameSite=Lax$/,
    );
  });

  test('comes from a dashboard that the operator trusts', async () => {
    const at = (query: string) => keystoneBeside(provider, 'GET', `${websso}${query}`);
    const none = await at('');
    expect([none.status, none.body.error.message]).toEqual([400, 'Request must have an origin query parameter']);
    const upper = encodeURIComponent('HTTPS://Horizon.Example.ORG/auth/websso/');
    expect((await at(`?origin=${upper}`)).status).toBe(302);
    for (const origin of [
      'https://evil.example.org/',
      'https://horizon.example.org/',
      `${DASHBOARD}x`,
      'javascript:alert(1)',
    ])
      expect((await at(`?origin=${encodeURIComponent(origin)}`)).status).toBe(401);
    for (const TRUSTED_DASHBOARDS of ['', undefined as unknown as string]) {
      const answer = await keystoneBeside(provider, 'GET', `${websso}?${ORIGIN}`, { env: { TRUSTED_DASHBOARDS } });
      expect(answer.status).toBe(401);
    }
  });

  test('ends only where it began, once, and in time', async () => {
    const begun = await begin();
    const other = await begin();
    const state = begun.asked.get('state') ?? '';
    const { code } = await newCode(begun);
    const renamed = other.cookie.replace(/^websso_\w+/, `websso_${state}`);
    for (const [query, cookie] of [
      [{ code, state }, ''],
      [{ code, state }, other.cookie],
      [{ code, state }, renamed],
      [{ code, state }, `websso_${state}=junk`],
      [{ code, state: 'x' }, begun.cookie],
      [{ code }, begun.cookie],
      [{ state }, begun.cookie],
      [{ state, error: 'access_denied' }, begun.cookie],
    ] as [Record<string, string>, string][])
      expect([query, (await back(query, cookie)).status]).toEqual([query, 401]);
    expect(
      (await back({ code, state }, begun.cookie, { TRUSTED_DASHBOARDS: 'https://other.example.org' })).status,
    ).toBe(401);
    expect((await back({ code, state }, begun.cookie)).status).toBe(200);
    expect((await back({ code, state }, begun.cookie)).status).toBe(401);
  });

  test.each([
    ['of another log-in', { nonce: 'x' }],
    ['of no log-in', { nonce: undefined }],
    ['for another client', { aud: 'other' }],
    ['issued to another client', { azp: 'other' }],
    ['of another issuer', { iss: 'https://evil.example.org' }],
    ['that has expired', { exp: 1 }],
    ['of another than its userinfo', { sub: 'x' }],
  ])('is refused by an ID token %s', async (_, claims) => {
    const begun = await begin();
    const { code } = await newCode(begun, claims);
    expect((await back({ code, state: begun.asked.get('state') ?? '' }, begun.cookie)).status).toBe(401);
  });

  test('is refused by an audience that only access tokens may have', async () => {
    const own = await registered(provider, { rules: RULES, oidc: { audiences: ['cli'] } });
    expect((await own.logIn(await provider.token({ sub: 'x', name: freshName('x'), aud: 'cli' }))).status).toBe(201);
    const answer = await keystoneBeside(provider, 'GET', `/auth${own.path}/protocols/openid/websso?${ORIGIN}`);
    const asked = new URL(answer.headers.get('location') ?? '').searchParams;
    const { code } = await newCode({ asked } as Begun, { aud: 'cli' });
    const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
    expect((await back({ code, state: asked.get('state') ?? '' }, cookie)).status).toBe(401);
  });

  test('fails as the provider fails', async () => {
    const begun = await begin();
    const { code } = await newCode(begun);
    provider.instead = (request) => (request.url.endsWith('/token') ? Response.json({}, { status: 502 }) : undefined);
    const state = begun.asked.get('state') ?? '';
    expect((await back({ code, state }, begun.cookie)).status).toBe(503);
    provider.instead = (request) => (request.url.endsWith('/token') ? Response.json({ access_token: 'x' }) : undefined);
    expect((await back({ code, state }, begun.cookie)).status).toBe(503);
    provider.instead = () => undefined;
    expect((await back({ code, state }, begun.cookie)).status).toBe(200);
  });

  test('needs a provider that is there and enabled', async () => {
    const none = '/auth/OS-FEDERATION/identity_providers/none/protocols/openid/websso';
    expect((await keystoneBeside(provider, 'GET', `${none}?${ORIGIN}`)).status).toBe(404);
    const own = await registered(provider, { rules: RULES, idp: { enabled: false } });
    const at = `/auth${own.path}/protocols/openid/websso?${ORIGIN}`;
    expect((await keystoneBeside(provider, 'GET', at)).status).toBe(403);
  });
});

test('a protocol alone leads to its provider, and to a choice where there are several', async () => {
  const protocol = freshName('sso');
  const at = (query = ORIGIN) => keystoneBeside(provider, 'GET', `/auth/OS-FEDERATION/websso/${protocol}?${query}`);
  expect((await at()).status).toBe(401);
  const ways: string[] = [];
  for (let count = 0; count < 2; count += 1) {
    const own = await registered(provider, { rules: RULES });
    await must('PUT', `${own.path}/protocols/${protocol}`, { body: { protocol: { mapping_id: own.mapping } } });
    ways.push(own.id);
    if (count === 0) expect((await at()).status).toBe(302);
  }
  const choice = await at();
  expect(choice.status).toBe(200);
  const links = [...choice.body.matchAll(/href="http:\/\/edge\.test\/identity\/v3([^"]*)"/g)].map((match) => match[1]);
  expect(links).toHaveLength(2);
  for (const link of links) {
    expect((await keystoneBeside(provider, 'GET', link.replaceAll('&amp;', '&'))).status).toBe(302);
    expect(ways.some((id) => link.includes(id))).toBe(true);
  }
  expect((await at('origin=https%3A%2F%2Fevil.example.org')).status).toBe(401);
  expect((await at('')).status).toBe(400);
});
