import { expect, test } from 'vitest';
import { freshName, keystone, must, newDomain, validate } from '../../../test/edge-identity.ts';
import { EdgeProvider, registered } from '../../../test/edge-provider.ts';

const F = '/OS-FEDERATION';
const RULES = [{ local: [{ user: { name: '{0}' } }], remote: [{ type: 'OIDC-sub' }] }];
const OIDC = { issuer: 'https://sso.example.org', client_id: 'cloud' };

const newProvider = async (body: object = {}) => {
  const id = freshName('idp');
  const { body: answer } = await must('PUT', `${F}/identity_providers/${id}`, { body: { identity_provider: body } });
  return { id, path: `${F}/identity_providers/${id}`, shown: answer.identity_provider };
};
const newMapping = async () => {
  const id = freshName('map');
  await must('PUT', `${F}/mappings/${id}`, { body: { mapping: { rules: RULES } } });
  return id;
};

test('an identity provider is as Keystone shows it, with a domain of its own', async () => {
  const { id, path, shown } = await newProvider();
  const self = `http://edge.test/identity/v3${path}`;
  expect(shown).toEqual({
    id,
    domain_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    enabled: false,
    description: null,
    remote_ids: [],
    authorization_ttl: null,
    links: { self, protocols: `${self}/protocols` },
  });
  const { domain } = (await must('GET', `/domains/${shown.domain_id}`)).body;
  expect(domain).toMatchObject({
    name: shown.domain_id,
    description: `Auto generated federated domain for Identity Provider: ${id}`,
  });
  expect((await must('GET', path)).body.identity_provider).toEqual(shown);
  const bare = `${F}/identity_providers/${freshName('bare')}`;
  expect((await keystone('PUT', bare, { body: {} })).status).toBe(201);
});

test('a provider is changed, found and deleted', async () => {
  const remote = freshName('https://remote');
  const { id, path } = await newProvider({
    enabled: true,
    description: 'x',
    remote_ids: [remote],
    domain_id: 'default',
  });
  const change = { enabled: false, authorization_ttl: 5, remote_ids: [`${remote}/b`, `${remote}/a`] };
  const changed = await must('PATCH', path, { body: { identity_provider: change } });
  expect(changed.body.identity_provider).toMatchObject({
    id,
    domain_id: 'default',
    enabled: false,
    description: 'x',
    authorization_ttl: 5,
    remote_ids: [`${remote}/a`, `${remote}/b`],
  });
  const ids = async (query: string) =>
    (await must('GET', `${F}/identity_providers?${query}`)).body.identity_providers.map(
      (one: { id: string }) => one.id,
    );
  expect(await ids(`id=${id}`)).toEqual([id]);
  expect(await ids(`id=${id}&enabled=true`)).toEqual([]);
  await must('PATCH', path, { body: { identity_provider: { remote_ids: null } } });
  expect((await must('GET', path)).body.identity_provider.remote_ids).toEqual([]);
  expect((await keystone('DELETE', path)).status).toBe(204);
  for (const method of ['GET', 'DELETE']) {
    const answer = await keystone(method, path);
    expect([answer.status, answer.body.error.message]).toEqual([404, `Could not find Identity Provider: ${id}.`]);
  }
  expect((await keystone('PATCH', path, { body: { identity_provider: { enabled: true } } })).status).toBe(404);
});

test('ids and remote ids are unique, and what is refused leaves no domain', async () => {
  const remote = freshName('remote');
  const { path } = await newProvider({ remote_ids: [remote] });
  const again = await keystone('PUT', path, { body: { identity_provider: {} } });
  expect([again.status, again.body.error.message]).toEqual([
    409,
    expect.stringMatching(/^Conflict occurred attempting to store identity_provider - Duplicate entry: idp-/),
  ]);
  const refused = freshName('idp');
  const other = await keystone('PUT', `${F}/identity_providers/${refused}`, {
    body: { identity_provider: { remote_ids: [remote] } },
  });
  expect([other.status, other.body.error.message]).toEqual([
    409,
    `Conflict occurred attempting to store identity_provider - Duplicate remote ID: ${remote}.`,
  ]);
  const made = (await must('GET', '/domains?limit=1000')).body.domains.map(
    ({ description }: { description: string }) => description,
  );
  const madeFor = (id: string) => made.filter((description: string) => description.endsWith(`: ${id}`)).length;
  expect([madeFor(path.split('/').at(-1) ?? ''), madeFor(refused)]).toEqual([1, 0]);
  const second = await newProvider();
  const taken = await keystone('PATCH', second.path, { body: { identity_provider: { remote_ids: [remote] } } });
  expect(taken.status).toBe(409);
  const nowhere = { identity_provider: { domain_id: 'a'.repeat(32) } };
  expect((await keystone('PUT', `${F}/identity_providers/${freshName('i')}`, { body: nowhere })).status).toBe(404);
});

test.each([
  [{ enabled: 'yes' }],
  [{ name: 'x' }],
  [{ id: 'x' }],
  [{ remote_ids: ['a', 'a'] }],
  [{ remote_ids: 'a' }],
  [{ authorization_ttl: -1 }],
  [{ authorization_ttl: '5' }],
  [{ oidc: {} }],
  [{ oidc: { ...OIDC, issuer: 'http://sso.example.org' } }],
  [{ oidc: { ...OIDC, issuer: 'http://169.254.169.254/latest' } }],
  [{ oidc: { ...OIDC, issuer: 'https://user:secret@sso.example.org' } }],
  [{ oidc: { ...OIDC, issuer: 'file:///etc/passwd' } }],
  [{ oidc: { ...OIDC, discovery_endpoint: 'http://10.0.0.1/' } }],
  [{ oidc: { ...OIDC, client_id: '' } }],
  [{ oidc: { ...OIDC, scope: 'email' } }],
  [{ oidc: { ...OIDC, opaque_tokens: 'believe' } }],
  [{ oidc: { ...OIDC, more: 1 } }],
])('%j is no identity provider', async (identity_provider) => {
  const { path } = await newProvider();
  const put = await keystone('PUT', `${F}/identity_providers/${freshName('i')}`, { body: { identity_provider } });
  const patch = await keystone('PATCH', path, { body: { identity_provider } });
  expect([put.status, patch.status]).toEqual([400, 400]);
});

test('a domain of another cannot be given later, nothing is no change, and a name in a URL has limits', async () => {
  const { path } = await newProvider();
  for (const identity_provider of [{ domain_id: 'default' }, {}])
    expect((await keystone('PATCH', path, { body: { identity_provider } })).status).toBe(400);
  for (const id of ['a'.repeat(65), 'a%20b', 'a%3Fb'])
    expect((await keystone('PUT', `${F}/identity_providers/${id}`, { body: {} })).status).toBe(400);
});

test('OpenID Connect is set as a whole; the secret is never shown, and stays until it is replaced', async () => {
  const { path, shown } = await newProvider({ oidc: { ...OIDC, client_secret: 'hush', audiences: ['cli'] } });
  expect(shown.oidc).toEqual({
    ...OIDC,
    has_client_secret: true,
    audiences: ['cli'],
    scope: 'openid email profile',
    opaque_tokens: 'introspection',
    redirect_uri: 'http://edge.test/identity/v3/redirect_uri',
  });
  const set = async (oidc: object | null) =>
    (await must('PATCH', path, { body: { identity_provider: { oidc } } })).body.identity_provider.oidc;
  expect(await set({ ...OIDC, scope: 'openid groups', opaque_tokens: 'userinfo' })).toMatchObject({
    has_client_secret: true,
    audiences: [],
    scope: 'openid groups',
    opaque_tokens: 'userinfo',
  });
  expect(await set({ ...OIDC, client_secret: null, discovery_endpoint: 'http://127.0.0.1:1/d' })).toMatchObject({
    has_client_secret: false,
    discovery_endpoint: 'http://127.0.0.1:1/d',
  });
  expect(await set(null)).toBeUndefined();
  const region = await must('GET', path);
  expect(JSON.stringify(region.body)).not.toContain('hush');
});

test('a domain takes its identity providers with it, and whom they knew elsewhere', async () => {
  const domain = await newDomain();
  const provider = await new EdgeProvider().start();
  const local = [{ user: { name: '{0}', domain: { id: 'default' } } }];
  const rules = [{ local, remote: [{ type: 'OIDC-sub' }] }];
  const { logIn } = await registered(provider, { rules, idp: { domain_id: domain.id } });
  const token = (await logIn(await provider.token({ sub: freshName('ann') }))).headers.get('x-subject-token') ?? '';
  const { user } = (await validate(token)).body.token;
  expect(user.domain.id).toBe('default');
  const { path } = await newProvider({ domain_id: domain.id });
  await must('PATCH', `/domains/${domain.id}`, { body: { domain: { enabled: false } } });
  await must('DELETE', `/domains/${domain.id}`);
  expect((await keystone('GET', path)).status).toBe(404);
  expect((await validate(token)).status).toBe(404);
  expect((await keystone('GET', `/users/${user.id}`)).status).toBe(404);
});

test('protocols', async () => {
  const { id, path } = await newProvider();
  const mapping_id = await newMapping();
  const url = `${path}/protocols/openid`;
  const self = `http://edge.test/identity/v3${url}`;
  const view = {
    id: 'openid',
    mapping_id,
    links: { self, identity_provider: `http://edge.test/identity/v3${path}` },
  };
  const body = { protocol: { mapping_id } };
  const made = await keystone('PUT', url, { body });
  expect([made.status, made.body.protocol]).toEqual([201, view]);
  expect((await must('GET', url)).body.protocol).toEqual(view);
  const again = await keystone('PUT', url, { body });
  expect([again.status, again.body.error.message]).toEqual([
    409,
    'Conflict occurred attempting to store federation_protocol - Duplicate entry: openid.',
  ]);
  const other = await newMapping();
  const change = { protocol: { mapping_id: other, remote_id_attribute: 'HTTP_OIDC_ISS' } };
  expect((await must('PATCH', url, { body: change })).body.protocol.mapping_id).toBe(other);
  expect((await must('GET', `${path}/protocols`)).body.protocols).toEqual([
    { ...view, mapping_id: other, idp_id: id, remote_id_attribute: 'HTTP_OIDC_ISS' },
  ]);
  await must('PATCH', url, { body: { protocol: { remote_id_attribute: null } } });
  const unknown = { protocol: { mapping_id: 'unknown' } };
  for (const [method, to] of [
    ['PATCH', url],
    ['PUT', `${path}/protocols/b`],
  ] as const) {
    const answer = await keystone(method, to, { body: unknown });
    expect([answer.status, answer.body.error.message]).toEqual([400, 'Invalid mapping id: unknown']);
  }
  for (const protocol of [{}, { mapping_id: 1 }, { mapping_id, more: 1 }])
    expect((await keystone('PUT', `${path}/protocols/b`, { body: { protocol } })).status).toBe(400);
  expect((await keystone('PUT', `${F}/identity_providers/none/protocols/a`, { body })).status).toBe(404);
  await must('DELETE', url);
  for (const [method, more] of [
    ['GET', {}],
    ['DELETE', {}],
    ['PATCH', { body }],
  ] as const) {
    const answer = await keystone(method, url, more);
    expect([answer.status, answer.body.error.message]).toEqual([
      404,
      `Could not find federated protocol openid for Identity Provider: ${id}.`,
    ]);
  }
  await must('PUT', url, { body });
  await must('DELETE', path);
  expect((await keystone('GET', url)).status).toBe(404);
});

test('mappings', async () => {
  const id = await newMapping();
  const path = `${F}/mappings/${id}`;
  const links = { self: `http://edge.test/identity/v3${path}` };
  expect((await must('GET', path)).body.mapping).toEqual({ id, rules: RULES, schema_version: '1.0', links });
  const projects = [{ name: 'p', roles: [{ name: 'member' }], domain: { id: 'default' } }];
  const rules = [{ local: [{ user: { name: '{0}' }, projects }], remote: [{ type: 'OIDC-sub' }] }];
  const body = { mapping: { rules, schema_version: '2.0' } };
  expect((await must('PATCH', path, { body })).body.mapping).toEqual({ id, rules, schema_version: '2.0', links });
  const listed = (await must('GET', `${F}/mappings`)).body.mappings;
  expect(listed).toContainEqual({ id, rules, schema_version: '2.0', links });
  expect((await keystone('PUT', path, { body })).status).toBe(409);
  for (const mapping of [
    {},
    { rules: [] },
    { rules, schema_version: '1.0' },
    { rules: RULES, schema_version: '9' },
    { rules: RULES, name: 'x' },
    { rules: [{ local: [{ user: { name: '{1}' } }], remote: [{ type: 'a' }] }] },
    { rules: RULES.map(({ local }) => ({ local, remote: [{ type: 'x'.repeat(65_536) }] })) },
  ]) {
    const answers = [
      await keystone('PUT', `${F}/mappings/${freshName('m')}`, { body: { mapping } }),
      await keystone('PATCH', path, { body: { mapping } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 400]);
  }
  const wrong = { mapping: { rules: [{ local: [{ user: { nick: 'x' } }], remote: [{ type: 'a' }] }] } };
  const said = (await keystone('PATCH', path, { body: wrong })).body.error.message;
  expect(said).toBe(`Invalid input for field 'rules/0/local/0/user': Unrecognized key: "nick"`);
  await must('DELETE', path);
  for (const [method, more] of [
    ['GET', {}],
    ['DELETE', {}],
    ['PATCH', { body }],
  ] as const) {
    const answer = await keystone(method, path, more);
    expect([answer.status, answer.body.error.message]).toEqual([404, `Could not find mapping: ${id}.`]);
  }
});

test('service providers', async () => {
  const id = freshName('sp');
  const path = `${F}/service_providers/${id}`;
  const given = { auth_url: 'https://b.example.org/v3/auth', sp_url: 'https://b.example.org/Shibboleth.sso/SAML2/ECP' };
  const view = {
    ...given,
    id,
    description: null,
    enabled: false,
    relay_state_prefix: 'ss:mem:',
    links: { self: `http://edge.test/identity/v3${path}` },
  };
  const made = await keystone('PUT', path, { body: { service_provider: given } });
  expect([made.status, made.body.service_provider]).toEqual([201, view]);
  expect((await must('GET', path)).body.service_provider).toEqual(view);
  const change = { enabled: true, description: 'b', relay_state_prefix: 'x' };
  const changed = (await must('PATCH', path, { body: { service_provider: change } })).body.service_provider;
  expect(changed).toEqual({ ...view, ...change });
  const list = async (query: string) => (await must('GET', `${F}/service_providers?${query}`)).body.service_providers;
  expect(await list(`id=${id}&enabled=1`)).toEqual([changed]);
  expect(await list(`id=${id}&enabled=0`)).toEqual([]);
  expect((await keystone('PUT', path, { body: { service_provider: given } })).status).toBe(409);
  for (const service_provider of [
    {},
    { ...given, auth_url: 'x' },
    { ...given, more: 1 },
    { ...given, enabled: 'yes' },
  ]) {
    const other = `${F}/service_providers/${freshName('sp')}`;
    expect((await keystone('PUT', other, { body: { service_provider } })).status).toBe(400);
  }
  expect((await keystone('PATCH', path, { body: { service_provider: {} } })).status).toBe(400);
  await must('DELETE', path);
  const gone = await keystone('GET', path);
  expect([gone.status, gone.body.error.message]).toEqual([404, `Could not find Service Provider: ${id}.`]);
});
