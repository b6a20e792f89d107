import { beforeAll, describe, expect, test } from 'vitest';
import { exchange, freshName, keystone, must, newUser, roleId, validate } from '../../../../test/edge-identity.ts';
import { EdgeProvider, keystoneBeside, registered } from '../../../../test/edge-provider.ts';
import { federatedUserId } from './unique-id.ts';

const SUB = [{ local: [{ user: { name: '{0}' } }], remote: [{ type: 'OIDC-sub' }] }];
let provider: EdgeProvider;
let cloud: Awaited<ReturnType<typeof registered>>;
beforeAll(async () => {
  provider = await new EdgeProvider().start();
  cloud = await registered(provider, { rules: SUB });
});

/** The token of a log-in that must work. */
async function tokenOf(of: typeof cloud, claims: { sub: string } & Record<string, unknown>): Promise<string> {
  const answer = await of.logIn(await provider.token(claims));
  if (answer.status !== 201) throw new Error(`log-in: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.headers.get('x-subject-token') ?? '';
}

describe('a log-in with a token of the provider', () => {
  test('gives an unscoped token, as Keystone shows it', async () => {
    const sub = freshName('ann');
    const answer = await cloud.logIn(await provider.token({ sub }));
    expect(answer.status).toBe(201);
    const { token } = answer.body;
    expect(token).toEqual({
      methods: ['openid'],
      user: {
        id: federatedUserId(cloud.domainId, sub),
        name: sub,
        domain: { id: cloud.domainId, name: cloud.domainId },
        'OS-FEDERATION': { groups: [], identity_provider: { id: cloud.id }, protocol: { id: 'openid' } },
      },
      audit_ids: [expect.stringMatching(/^[\w-]{22}$/)],
      expires_at: expect.stringMatching(/Z$/),
      issued_at: expect.stringMatching(/Z$/),
    });
    const subject = answer.headers.get('x-subject-token') ?? '';
    expect((await validate(subject)).body.token).toEqual(token);
    expect(
      (
        await keystoneBeside(provider, 'GET', cloud.auth, {
          headers: { authorization: `bearer ${await provider.token({ sub })}` },
        })
      ).status,
    ).toBe(201);
  });

  test('makes the user once, whose name follows the provider and finds nobody to log in', async () => {
    const sub = freshName('ann');
    const rules = [
      {
        local: [{ user: { id: '{0}', name: '{1}', email: '{2}' } }],
        remote: [{ type: 'OIDC-sub' }, { type: 'OIDC-name' }, { type: 'OIDC-email' }],
      },
    ];
    const own = await registered(provider, { rules, idp: { domain_id: 'default' } });
    const named = await newUser('default');
    for (const name of [named.name, `${named.name} the second`, named.name]) {
      const token = await tokenOf(own, { sub, name, email: 'a@b.c' });
      const { user } = (await validate(token)).body.token;
      expect(user).toMatchObject({ name, id: federatedUserId('default', sub) });
      const shown = await keystone('GET', `/users/${user.id}`, { token });
      expect(shown.body.user).toMatchObject({ name, email: 'a@b.c', domain_id: 'default', enabled: true });
    }
    const later = freshName('later');
    await tokenOf(own, { sub: freshName('first'), name: later, email: 'a@b.c' });
    const local = await newUser('default', { name: later });
    const byName = { name: later, domain: { id: 'default' }, password: local.password };
    const login = await keystone('POST', '/auth/tokens', {
      token: null,
      body: { auth: { identity: { methods: ['password'], password: { user: byName } }, scope: 'unscoped' } },
    });
    expect(login.body.token.user.id).toBe(local.id);
    const twin = await cloudOf([{ local: [{ user: { id: '{0}', name: 'same' } }], remote: [{ type: 'OIDC-sub' }] }]);
    for (const other of [freshName('a'), freshName('b')]) await tokenOf(twin, { sub: other });
  });

  test('a user whose id another provider gave in the same domain is refused', async () => {
    const sub = freshName('ann');
    await tokenOf(await registered(provider, { rules: SUB, idp: { domain_id: 'default' } }), { sub });
    const second = await registered(provider, { rules: SUB, idp: { domain_id: 'default' } });
    const answer = await second.logIn(await provider.token({ sub }));
    expect([answer.status, answer.body.error.message]).toEqual([
      409,
      `Conflict occurred attempting to store federated_user - Duplicate entry: ${sub}.`,
    ]);
  });

  test('a disabled user, or one of a disabled domain, is refused', async () => {
    const sub = freshName('ann');
    await tokenOf(cloud, { sub });
    const path = `/users/${federatedUserId(cloud.domainId, sub)}`;
    await must('PATCH', path, { body: { user: { enabled: false } } });
    expect((await cloud.logIn(await provider.token({ sub }))).status).toBe(401);
    await must('PATCH', path, { body: { user: { enabled: true } } });
    await must('PATCH', `/domains/${cloud.domainId}`, { body: { domain: { enabled: false } } });
    expect((await cloud.logIn(await provider.token({ sub }))).status).toBe(401);
    await must('PATCH', `/domains/${cloud.domainId}`, { body: { domain: { enabled: true } } });
    await tokenOf(cloud, { sub });
  });

  test('no token, another kind of it, or none of the provider is refused', async () => {
    const good = await provider.token({ sub: 'x' });
    const tries: Record<string, string>[] = [
      {},
      { authorization: '' },
      { authorization: 'Bearer' },
      { authorization: `Basic ${good}` },
      { authorization: 'Bearer a b' },
      { 'x-auth-token': good },
    ];
    for (const headers of tries) {
      const answer = await keystoneBeside(provider, 'POST', cloud.auth, { headers });
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
        401,
        expect.stringMatching(/^Keystone uri=/),
      ]);
    }
    const stranger = await new EdgeProvider().start();
    const elsewhere = await stranger.token({ sub: 'x', iss: provider.issuer });
    for (const token of [elsewhere, await provider.token({ sub: 'x', aud: 'other' }), 'x'.repeat(20_000), 'a$b'])
      expect((await cloud.logIn(token)).status).toBe(401);
  });

  test('nobody is told why, but the log', async () => {
    const answer = await cloud.logIn(await provider.token({ sub: 'x', aud: 'other' }));
    expect(answer.body.error).toEqual({
      code: 401,
      title: 'Unauthorized',
      message: 'The request you have made requires authentication.',
    });
  });
});

const cloudOf = (rules: object[], more: object = {}) => registered(provider, { rules, ...more });

describe('what the operator set', () => {
  test('a provider, protocol or mapping that is not there is not found', async () => {
    const token = await provider.token({ sub: 'x' });
    const at = (path: string) =>
      keystoneBeside(provider, 'POST', path, { headers: { authorization: `Bearer ${token}` } });
    const none = await at('/OS-FEDERATION/identity_providers/none/protocols/openid/auth');
    expect([none.status, none.body.error.message]).toEqual([404, 'Could not find Identity Provider: none.']);
    const protocol = await at(`${cloud.path}/protocols/saml2/auth`);
    expect([protocol.status, protocol.body.error.message]).toEqual([
      404,
      `Could not find federated protocol saml2 for Identity Provider: ${cloud.id}.`,
    ]);
    const own = await cloudOf(SUB);
    await must('DELETE', `/OS-FEDERATION/mappings/${own.mapping}`);
    expect((await own.logIn(token)).status).toBe(404);
  });

  test('a disabled provider lets nobody in, and exchanges no token', async () => {
    const own = await cloudOf(SUB);
    const token = await tokenOf(own, { sub: freshName('ann') });
    expect((await exchange(token)).status).toBe(201);
    await must('PATCH', own.path, { body: { identity_provider: { enabled: false } } });
    const refused = [await own.logIn(await provider.token({ sub: 'x' })), await exchange(token)];
    expect(refused.map(({ status }) => status)).toEqual([403, 403]);
    expect((await keystone('GET', '/auth/projects', { token })).status).toBe(200);
  });

  test('a provider without OpenID Connect lets nobody in', async () => {
    const own = await cloudOf(SUB);
    await must('PATCH', own.path, { body: { identity_provider: { oidc: null } } });
    expect((await own.logIn(await provider.token({ sub: 'x' }))).status).toBe(401);
  });

  test('remote ids limit who is taken at its word', async () => {
    const iss = provider.issuer;
    const own = await cloudOf(SUB, { idp: { remote_ids: [freshName('https://other')] } });
    const token = await provider.token({ sub: freshName('ann'), hd: 'example.org' });
    expect((await own.logIn(token)).status).toBe(403);
    await must('PATCH', own.path, { body: { identity_provider: { remote_ids: [iss] } } });
    expect((await own.logIn(token)).status).toBe(201);
    const protocol = `${own.path}/protocols/openid`;
    await must('PATCH', protocol, { body: { protocol: { remote_id_attribute: 'OIDC-hd' } } });
    expect((await own.logIn(token)).status).toBe(403);
    await must('PATCH', own.path, { body: { identity_provider: { remote_ids: ['example.org'] } } });
    expect((await own.logIn(token)).status).toBe(201);
    await must('PATCH', protocol, { body: { protocol: { remote_id_attribute: 'OIDC-absent' } } });
    expect((await own.logIn(token)).status).toBe(401);
  });

  test('a mapping that makes nobody of somebody keeps that one out', async () => {
    const own = await cloudOf([
      {
        local: [{ user: { name: '{0}' } }],
        remote: [{ type: 'OIDC-sub' }, { type: 'OIDC-team', any_one_of: ['ops'] }],
      },
    ]);
    expect((await own.logIn(await provider.token({ sub: 'x' }))).status).toBe(401);
    expect((await own.logIn(await provider.token({ sub: 'x', team: ['dev'] }))).status).toBe(401);
    expect((await own.logIn(await provider.token({ sub: freshName('x'), team: ['dev', 'ops'] }))).status).toBe(201);
  });

  test('a user without a name has that of REMOTE_USER', async () => {
    const own = await cloudOf([{ local: [{ group: { id: 'none' } }], remote: [{ type: 'OIDC-sub' }] }]);
    expect((await own.logIn(await provider.token({ sub: 'x' }))).status).toBe(401);
    const groupless = await cloudOf([{ local: [{ user: { email: 'x@y.z' } }], remote: [{ type: 'OIDC-sub' }] }]);
    const sub = freshName('ann');
    const token = await tokenOf(groupless, { sub });
    expect((await validate(token)).body.token.user.name).toBe(`${sub}@${provider.issuer.slice('https://'.length)}`);
  });

  test('a local user is taken for who that is, with no trace of the provider', async () => {
    const local = await newUser('default');
    const project = (await must('POST', '/projects', { body: { project: { name: freshName('p') } } })).body.project;
    const own = await cloudOf([
      {
        local: [{ user: { type: 'local', name: '{0}', domain: { name: 'Default' } } }],
        remote: [{ type: 'OIDC-sub' }],
      },
    ]);
    const { token } = (await own.logIn(await provider.token({ sub: local.name }))).body;
    expect(token.user).toEqual({
      id: local.id,
      name: local.name,
      domain: { id: 'default', name: 'Default' },
      password_expires_at: null,
    });
    expect(token.methods).toEqual(['openid']);
    await must('PUT', `/projects/${project.id}/users/${local.id}/roles/${await roleId('member')}`);
    await must('PATCH', `/users/${local.id}`, { body: { user: { default_project_id: project.id } } });
    const scoped = await own.logIn(await provider.token({ sub: local.name }));
    expect(scoped.body.token.project.id).toBe(project.id);
    expect((await own.logIn(await provider.token({ sub: freshName('nobody') }))).status).toBe(401);
    const byId = await cloudOf([{ local: [{ user: { type: 'local', id: '{0}' } }], remote: [{ type: 'OIDC-sub' }] }]);
    expect((await byId.logIn(await provider.token({ sub: local.id }))).body.token.user.id).toBe(local.id);
  });
});

describe('the provider', () => {
  /** A provider of its own, so that nothing of it is in memory. */
  async function fresh(oidc: object = {}) {
    const own = await new EdgeProvider().start();
    return { own, ...(await registered(own, { rules: SUB, oidc })) };
  }

  test('is asked once for what it publishes', async () => {
    const { own, logIn } = await fresh();
    for (let times = 0; times < 3; times += 1) expect((await logIn(await own.token({ sub: 'ann' }))).status).toBe(201);
    expect(own.asked).toEqual(['GET /.well-known/openid-configuration', 'GET /jwks']);
  });

  test.each([
    ['does not answer', () => Promise.reject(new Error('connection refused'))],
    ['answers with a fault', () => new Response('no', { status: 500 })],
    ['sends elsewhere', () => Response.redirect('http://169.254.169.254/latest/meta-data', 302)],
    ['says nothing', () => new Response('')],
    ['says no JSON', () => new Response('<html>')],
    ['says a list', () => Response.json([])],
    ['says too much', () => Response.json({ more: 'x'.repeat(600_000) })],
    [
      'says that it is another',
      () => Response.json({ issuer: 'https://evil.example.org', jwks_uri: 'https://evil.example.org/jwks' }),
    ],
    ['leaves out its keys', (request: Request) => Response.json({ issuer: new URL(request.url).origin })],
    [
      'has its keys inside',
      (request: Request) => Response.json({ issuer: new URL(request.url).origin, jwks_uri: 'http://10.0.0.1/jwks' }),
    ],
    [
      'has its keys on this machine',
      (request: Request) => Response.json({ issuer: new URL(request.url).origin, jwks_uri: 'http://127.0.0.1:1/jwks' }),
    ],
  ])('that %s keeps nobody waiting for long', async (_, answer) => {
    const { own, logIn } = await fresh();
    own.instead = answer;
    const refused = await logIn(await own.token({ sub: 'ann' }));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    expect(own.asked).toEqual(['GET /.well-known/openid-configuration']);
  });

  test('may publish elsewhere than at its well-known place', async () => {
    const { own, path, logIn } = await fresh();
    const discovery_endpoint = `${own.issuer}/elsewhere`;
    const oidc = { issuer: own.issuer, client_id: 'cloud', discovery_endpoint };
    await must('PATCH', path, { body: { identity_provider: { oidc } } });
    own.instead = (request) =>
      new URL(request.url).pathname === '/elsewhere'
        ? Response.json({ issuer: own.issuer, jwks_uri: `${own.issuer}/jwks` })
        : undefined;
    expect((await logIn(await own.token({ sub: 'ann' }))).status).toBe(201);
    expect(own.asked).toEqual(['GET /elsewhere', 'GET /jwks']);
  });

  test('is asked about an opaque token, and must say that it is good, and for us', async () => {
    const { own, logIn, domainId } = await fresh({ audiences: ['cli'] });
    const soon = Math.floor(Date.now() / 1000) + 60;
    const good = { active: true, sub: 'ann', client_id: 'cloud', iss: own.issuer, exp: soon };
    const tries: [object, number][] = [
      [good, 201],
      [{ ...good, client_id: 'cli' }, 201],
      [{ active: true, sub: 'ann', aud: ['x', 'cloud'], client_id: 'x' }, 201],
      [{ ...good, active: false }, 401],
      [{ ...good, active: 'true' }, 401],
      [{ ...good, client_id: 'x' }, 401],
      [{ ...good, aud: 'x' }, 401],
      [{ ...good, client_id: undefined }, 401],
      [{ ...good, iss: 'https://evil.example.org' }, 401],
      [{ ...good, exp: soon - 61 }, 401],
      [{ ...good, sub: undefined }, 401],
      [{ ...good, sub: 'bob' }, 401],
    ];
    for (const [said, status] of tries) {
      const token = freshName('opaque');
      own.known.set(token, said);
      own.known.set(`userinfo Bearer ${token}`, { sub: 'ann', groups: ['a'] });
      expect([said, (await logIn(token)).status]).toEqual([said, status]);
    }
    expect((await logIn('unknown')).status).toBe(401);
    own.known.set('told', good);
    const refused = await logIn('told');
    expect(refused.status).toBe(401);
    expect((await keystone('GET', `/users/${federatedUserId(domainId, 'ann')}`)).status).toBe(200);
  });

  test('that does not know its client any more is a fault of the operator', async () => {
    const { own, logIn } = await fresh({ client_secret: 'wrong' });
    own.known.set('opaque', { active: true, sub: 'ann', client_id: 'cloud' });
    expect((await logIn('opaque')).status).toBe(503);
  });

  test('may be believed by its userinfo alone, where the operator says so', async () => {
    const { own, logIn } = await fresh({ opaque_tokens: 'userinfo' });
    own.known.set('userinfo Bearer opaque', { sub: 'ann' });
    expect((await logIn('opaque')).status).toBe(201);
    expect((await logIn('unknown')).status).toBe(401);
    expect(own.asked).not.toContain('POST /introspect');
  });
});

describe('a token by a provider', () => {
  test('ends when the provider, or the protocol, is deleted, and so do its users', async () => {
    for (const what of ['', '/protocols/openid']) {
      const own = await cloudOf(SUB);
      const sub = freshName('ann');
      const token = await tokenOf(own, { sub });
      const user = `/users/${federatedUserId(own.domainId, sub)}`;
      expect((await keystone('GET', user)).status).toBe(200);
      await must('DELETE', `${own.path}${what}`);
      expect((await validate(token)).status).toBe(404);
      expect((await keystone('GET', user)).status).toBe(404);
    }
  });

  test('ends with its user, who has the same id at the next log-in', async () => {
    const sub = freshName('ann');
    const token = await tokenOf(cloud, { sub });
    const user = `/users/${federatedUserId(cloud.domainId, sub)}`;
    await must('DELETE', user);
    expect((await validate(token)).status).toBe(404);
    await tokenOf(cloud, { sub });
    expect((await keystone('GET', user)).status).toBe(200);
  });

  test('is exchanged for one that lives no longer, and still says where it comes from', async () => {
    const token = await tokenOf(cloud, { sub: freshName('ann') });
    const first = (await validate(token)).body.token;
    const next = (await exchange(token)).body.token;
    expect(next.expires_at).toBe(first.expires_at);
    expect(next.user).toEqual(first.user);
    expect(next.methods).toEqual(['token', 'openid']);
    expect(next.audit_ids[1]).toBe(first.audit_ids[0]);
  });
});
