import { describe, expect, test } from 'vitest';
import { call, ORIGIN } from '../../../test/edge-client.ts';
import {
  type Answer,
  exchange,
  freshName,
  grant,
  keystone,
  must,
  newProject,
  newRole,
  newUser,
  roleId,
  type TestUser,
  tokenOf,
  validate,
} from '../../../test/edge-identity.ts';

interface Owner {
  user: TestUser;
  project: { id: string; name: string };
  token: string;
  path: string;
}

async function newOwner(role = 'member'): Promise<Owner> {
  const [user, project] = [await newUser(), await newProject()];
  await grant(user.id, role, `projects/${project.id}`);
  const token = await tokenOf(user, { project: { id: project.id } });
  return { user, project, token, path: `/users/${user.id}/application_credentials` };
}

const create = (owner: Owner, body: object = {}): Promise<Answer> =>
  keystone('POST', owner.path, {
    token: owner.token,
    body: { application_credential: { name: freshName('ac'), ...body } },
  });
async function made(owner: Owner, body: object = {}) {
  const answer = await create(owner, body);
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return answer.body.application_credential;
}

function loginBy(credential: object, more: object = {}): Promise<Answer> {
  const identity = { methods: ['application_credential'], application_credential: credential };
  return keystone('POST', '/auth/tokens?nocatalog', { token: null, body: { auth: { identity, ...more } } });
}
async function tokenBy({ id, secret }: { id: string; secret: string }): Promise<string> {
  return (await loginBy({ id, secret })).headers.get('x-subject-token') ?? '';
}
const status = async (method: string, path: string, token: string, body?: unknown) =>
  (await keystone(method, path, { token, ...(body ? { body } : {}) })).status;

describe('an application credential', () => {
  test('has the roles of the token that made it, and a secret told once', async () => {
    const owner = await newOwner();
    const credential = await made(owner, { name: 'mine', description: 'x' });
    const { secret, ...shown } = credential;
    expect(secret).toMatch(/^[\w-]{86}$/);
    expect(shown).toEqual({
      id: credential.id,
      name: 'mine',
      description: 'x',
      user_id: owner.user.id,
      project_id: owner.project.id,
      system: null,
      expires_at: null,
      unrestricted: false,
      roles: expect.arrayContaining([expect.objectContaining({ id: await roleId('member'), name: 'member' })]),
      links: { self: `${ORIGIN}/identity/v3${owner.path}/${credential.id}` },
    });
    expect(shown.roles).toHaveLength(2);
    const again = await must('GET', `${owner.path}/${credential.id}`, { token: owner.token });
    expect(again.body.application_credential).toEqual(shown);
    const listed = await must('GET', `${owner.path}?name=mine`, { token: owner.token });
    expect(listed.body.application_credentials).toEqual([shown]);
    const twice = await create(owner, { name: 'mine' });
    expect([twice.status, twice.body.error.message]).toEqual([
      409,
      'Conflict occurred attempting to store application_credential - Duplicate entry found with name mine.',
    ]);
  });

  test('logs in, by id or by name, to its project alone', async () => {
    const owner = await newOwner('manager');
    const { id, name, secret } = await made(owner, {
      roles: [{ name: 'member' }],
      expires_at: '2999-01-02T03:04:05.123456',
    });
    const answer = await loginBy({ id, secret });
    expect(answer.status).toBe(201);
    const { token } = answer.body;
    expect(token).toMatchObject({
      methods: ['application_credential'],
      user: { id: owner.user.id },
      project: { id: owner.project.id },
      application_credential: { id, name, restricted: true },
    });
    expect(token.roles.map((role: { name: string }) => role.name).sort()).toEqual(['member', 'reader']);
    expect((await validate(answer.headers.get('x-subject-token') ?? '')).body.token).toEqual(token);
    const byName = { name, secret, user: { name: owner.user.name, domain: { id: 'default' } } };
    expect((await loginBy(byName)).status).toBe(201);
    expect((await loginBy({ name, secret, user: { id: owner.user.id } })).status).toBe(201);
    const scope = { project: { id: owner.project.id } };
    for (const refused of [
      await loginBy({ id, secret: 'wrong' }),
      await loginBy({ id: 'nothing', secret }),
      await loginBy({ id, secret }, { scope }),
      await loginBy({ name, secret, user: { id: 'nobody' } }),
    ])
      expect(refused.status).toBe(401);
    expect((await loginBy({ id })).status).toBe(400);
    expect((await loginBy({ name, secret })).status).toBe(400);
    const shown = (await must('GET', `${owner.path}/${id}`, { token: owner.token })).body.application_credential;
    expect(shown.expires_at).toBe('2999-01-02T03:04:05.123456');
  });

  test('may be one of several proofs, all of one user', async () => {
    const owner = await newOwner();
    const { id, secret } = await made(owner);
    const both = (user: TestUser) => {
      const password = { user: { id: user.id, password: user.password } };
      const methods = ['password', 'application_credential'];
      const auth = { identity: { methods, password, application_credential: { id, secret } } };
      return keystone('POST', '/auth/tokens', { token: null, body: { auth } });
    };
    expect((await both(owner.user)).body.token.methods).toEqual(['password', 'application_credential']);
    expect((await both(await newUser())).status).toBe(401);
  });

  test('is of no use when it has expired', async () => {
    const owner = await newOwner();
    expect((await create(owner, { expires_at: '2001-01-01T00:00:00' })).status).toBe(400);
    expect((await create(owner, { expires_at: 'tomorrow' })).status).toBe(400);
    const soon = new Date(Date.now() + 1_500).toISOString();
    const { id, secret } = await made(owner, { expires_at: soon });
    const first = await loginBy({ id, secret });
    expect(first.body.token?.expires_at ?? soon).toMatch(soon.slice(0, 19));
    await expect.poll(async () => (await loginBy({ id, secret })).status, { timeout: 10_000 }).toBe(401);
    expect((await validate(first.headers.get('x-subject-token') ?? 'x')).status).toBe(404);
  });

  test('gives no more than its owner has', async () => {
    const owner = await newOwner();
    expect((await create(owner, { roles: [{ name: 'admin' }] })).status).toBe(400);
    expect((await create(owner, { roles: [{ id: 'nothing' }] })).status).toBe(404);
    const role = await newRole();
    await grant(owner.user.id, role.id, `projects/${owner.project.id}`);
    const richer = { ...owner, token: await tokenOf(owner.user, { project: { id: owner.project.id } }) };
    const credential = await made(richer);
    await must('DELETE', `/projects/${owner.project.id}/users/${owner.user.id}/roles/${role.id}`);
    const { token } = (await loginBy(credential)).body;
    expect(token.roles).toHaveLength(2);
    await must('DELETE', `/projects/${owner.project.id}/users/${owner.user.id}/roles/${await roleId('member')}`);
    expect((await loginBy(credential)).status).toBe(401);
  });

  test.each([
    ['it is deleted', (o: Owner, id: string) => must('DELETE', `${o.path}/${id}`, { token: o.token })],
    [
      'its owner is disabled',
      (o: Owner) => must('PATCH', `/users/${o.user.id}`, { body: { user: { enabled: false } } }),
    ],
    ['its owner is deleted', (o: Owner) => must('DELETE', `/users/${o.user.id}`)],
    ['its project is deleted', (o: Owner) => must('DELETE', `/projects/${o.project.id}`)],
  ])('ends with its tokens when %s', async (_, end) => {
    const owner = await newOwner();
    const credential = await made(owner);
    const token = await tokenBy(credential);
    expect((await validate(token)).status).toBe(200);
    await end(owner, credential.id);
    expect((await validate(token)).status).toBe(404);
    expect((await loginBy(credential)).status).toBe(401);
    expect(await status('GET', `${owner.path}/${credential.id}`, owner.token)).not.toBe(200);
  });

  test('makes no further ones, unless it is unrestricted', async () => {
    const owner = await newOwner();
    const restricted = { ...owner, token: await tokenBy(await made(owner)) };
    const refused = await create(restricted);
    expect([refused.status, refused.body.error.message]).toEqual([
      403,
      expect.stringContaining("Using method 'application_credential' is not allowed for managing additional"),
    ]);
    const free = { ...owner, token: await tokenBy(await made(owner, { unrestricted: true })) };
    const further = await made(free);
    expect(await status('DELETE', `${owner.path}/${further.id}`, restricted.token)).toBe(403);
    expect(await status('DELETE', `${owner.path}/${further.id}`, free.token)).toBe(204);
    expect(await status('GET', '/OS-TRUST/trusts', free.token)).toBe(403);
  });

  test('can be exchanged for one like it, not for another scope', async () => {
    const owner = await newOwner();
    const credential = await made(owner);
    const token = await tokenBy(credential);
    const again = await exchange(token);
    expect(again.body.token).toMatchObject({
      methods: ['token', 'application_credential'],
      application_credential: { id: credential.id },
      project: { id: owner.project.id },
    });
    expect((await exchange(token, { project: { id: owner.project.id } })).status).toBe(403);
    expect((await exchange(token, 'unscoped')).status).toBe(403);
  });

  test("is its owner's own", async () => {
    const [owner, other] = [await newOwner(), await newOwner()];
    const { id } = await made(owner);
    expect((await create({ ...owner, token: other.token })).status).toBe(403);
    // The path of the own user opens no other's.
    expect(await status('GET', `${other.path}/${id}`, other.token)).toBe(403);
    expect(await status('DELETE', `${other.path}/${id}`, other.token)).toBe(403);
    expect((await keystone('GET', `${owner.path}/${id}`)).status).toBe(200);
    const unscoped = { ...owner, token: await tokenOf(owner.user, 'unscoped') };
    expect((await create(unscoped)).status).toBe(403);
  });
});

describe('access rules', () => {
  const SERVERS = { service: 'compute', method: 'GET', path: '/v2.1/servers' };
  const NETWORKS = { service: 'network', method: 'GET', path: '/v2.0/networks/**' };

  test('limit what the token is good for, in every service', async () => {
    const owner = await newOwner();
    const credential = await made(owner, { access_rules: [SERVERS, NETWORKS] });
    expect(credential.access_rules).toHaveLength(2);
    const answer = await loginBy(credential);
    expect(answer.body.token.application_credential.access_rules).toEqual(credential.access_rules);
    const token = answer.headers.get('x-subject-token') ?? '';
    const asked = async (method: string, path: string) => (await call(method, path, { token })).status;
    expect(await asked('GET', '/compute/v2.1/servers')).toBe(200);
    expect(await asked('GET', '/compute/v2.1/servers/detail')).toBe(401);
    expect(await asked('POST', '/compute/v2.1/servers')).toBe(401);
    expect(await asked('GET', '/networking/v2.0/networks/none')).toBe(404);
    expect(await asked('GET', '/networking/v2.0/networks')).toBe(401);
    expect(await asked('GET', '/image/v2/images')).toBe(401);
    expect(await asked('GET', '/aerostat/v1/runners')).toBe(401);
    expect(await status('GET', owner.path, token)).toBe(401);
    expect((await keystone('GET', '/auth/tokens', { token, headers: { 'x-subject-token': token } })).status).toBe(200);
  });

  test('are kept, and used again, until nothing uses them', async () => {
    const owner = await newOwner();
    const first = await made(owner, { access_rules: [SERVERS] });
    const second = await made(owner, { access_rules: [SERVERS, { id: first.access_rules[0].id }] });
    expect(second.access_rules).toEqual(first.access_rules);
    const rules = `/users/${owner.user.id}/access_rules`;
    const { id } = first.access_rules[0];
    const shown = { ...SERVERS, id, links: { self: `${ORIGIN}/identity/v3${rules}/${id}` } };
    expect((await must('GET', `${rules}?service=compute`, { token: owner.token })).body.access_rules).toEqual([shown]);
    expect((await must('GET', `${rules}/${id}`, { token: owner.token })).body.access_rule).toEqual(shown);
    expect(await status('DELETE', `${rules}/${id}`, owner.token)).toBe(403);
    for (const one of [first, second]) await must('DELETE', `${owner.path}/${one.id}`, { token: owner.token });
    expect(await status('DELETE', `${rules}/${id}`, (await newOwner()).token)).toBe(403);
    expect(await status('DELETE', `${rules}/${id}`, owner.token)).toBe(204);
    expect(await status('GET', `${rules}/${id}`, owner.token)).toBe(404);
  });

  test.each([
    [[{ ...SERVERS, method: 'OPTIONS' }]],
    [[{ ...SERVERS, path: 'v2.1' }]],
    [[{ service: 'compute' }]],
    [[{ id: 'nothing' }]],
    [Array.from({ length: 100 }, (_, at) => ({ ...SERVERS, path: `/v2.1/servers/${at}` }))],
  ])('%j are refused', async (access_rules) => {
    expect((await create(await newOwner(), { access_rules })).status).toBe(400);
  });
});
