import { beforeAll, describe, expect, test } from 'vitest';
import { ORIGIN } from '../../../test/edge-client.ts';
import {
  type Answer,
  exchange,
  grant,
  keystone,
  login,
  must,
  newDomain,
  newProject,
  newRole,
  newUser,
  roleId,
  type TestUser,
  tokenOf,
} from '../../../test/edge-identity.ts';

const refused = { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' };

function expectRefused(answer: Answer): void {
  expect([answer.status, answer.body]).toEqual([401, { error: refused }]);
  expect(answer.headers.get('www-authenticate')).toBe(`Keystone uri="${ORIGIN}/identity/v3"`);
  expect(answer.headers.get('vary')).toBe('X-Auth-Token');
  expect(answer.headers.get('x-subject-token')).toBeNull();
}

const roleNames = (answer: Answer): string[] =>
  answer.body.token.roles.map((role: { name: string }) => role.name).sort();

let domain: { id: string; name: string };
let project: { id: string; name: string };
let user: TestUser;
beforeAll(async () => {
  domain = await newDomain();
  project = await newProject(domain.id);
  user = await newUser(domain.id);
  await grant(user.id, 'member', `projects/${project.id}`);
  await grant(user.id, 'manager', `domains/${domain.id}`);
  await grant(user.id, 'reader', 'system');
});

describe('a log-in by password', () => {
  test('for a project by id says all there is to say', async () => {
    const before = Date.now();
    const answer = await login(user, { project: { id: project.id } });
    const after = Date.now();
    expect(answer.status).toBe(201);
    const { token } = answer.body;
    expect(token).toEqual({
      methods: ['password'],
      user: { domain, id: user.id, name: user.name, password_expires_at: null },
      audit_ids: [expect.stringMatching(/^[\w-]{22}$/)],
      expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      issued_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      project: { domain, id: project.id, name: project.name },
      is_domain: false,
      roles: expect.arrayContaining([
        { id: await roleId('member'), name: 'member' },
        { id: await roleId('reader'), name: 'reader' },
      ]),
      catalog: expect.any(Array),
    });
    expect(token.roles).toHaveLength(2);
    expect(Date.parse(token.expires_at) - Date.parse(token.issued_at)).toBe(3600_000);
    expect(Date.parse(token.issued_at)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(token.issued_at)).toBeLessThanOrEqual(after);
    expect(token.catalog.map((entry: { type: string }) => entry.type)).toContain('compute');
    expect(answer.headers.get('x-subject-token')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  test.each([
    ['user by name and domain id', () => ({ name: user.name, domain: { id: domain.id } })],
    ['user by name and domain name', () => ({ name: user.name, domain: { name: domain.name } })],
    ['user by id', () => ({ id: user.id })],
  ])('%s', async (_, who) => {
    const identity = { methods: ['password'], password: { user: { ...who(), password: user.password } } };
    const scope = { project: { name: project.name, domain: { name: domain.name } } };
    const answer = await keystone('POST', '/auth/tokens?nocatalog', {
      token: null,
      body: { auth: { identity, scope } },
    });
    expect(answer.status).toBe(201);
    expect(answer.body.token).toMatchObject({ user: { id: user.id }, project: { id: project.id } });
    expect(answer.body.token).not.toHaveProperty('catalog');
  });

  test('for a domain', async () => {
    const answer = await login(user, { domain: { id: domain.id } });
    expect(answer.body.token).toMatchObject({ domain, catalog: expect.any(Array) });
    expect(answer.body.token).not.toHaveProperty('project');
    expect(roleNames(answer)).toEqual(['manager', 'member', 'reader']);
  });

  test('for the system', async () => {
    const answer = await login(user, { system: { all: true } });
    expect(answer.body.token.system).toEqual({ all: true });
    expect(roleNames(answer)).toEqual(['reader']);
  });

  test.each([['unscoped'], [{ unscoped: {} }], [undefined]])('for nothing: %j', async (scope) => {
    const answer = await login(user, scope);
    expect(answer.status).toBe(201);
    expect(Object.keys(answer.body.token).sort()).toEqual(['audit_ids', 'expires_at', 'issued_at', 'methods', 'user']);
  });
});

describe('what is refused without saying why', () => {
  test('a wrong password, no password, an unknown user, an unknown domain', async () => {
    expectRefused(await login({ ...user, password: 'wrong' }));
    expectRefused(await login({ ...user, password: '' }));
    expectRefused(await login({ id: 'nobody', password: user.password }));
    const identity = {
      methods: ['password'],
      password: { user: { name: user.name, domain: { name: 'nowhere' }, password: user.password } },
    };
    expectRefused(await keystone('POST', '/auth/tokens', { token: null, body: { auth: { identity } } }));
  });

  test('a scope that is not there, or where the user has no role', async () => {
    const other = await newProject(domain.id);
    expectRefused(await login(user, { project: { id: 'nowhere' } }));
    expectRefused(await login(user, { project: { id: other.id } }));
    expectRefused(await login(user, { project: { name: project.name, domain: { id: 'default' } } }));
    expectRefused(await login(user, { domain: { id: 'default' } }));
    expectRefused(await login(user, { domain: { name: 'nowhere' } }));
    expectRefused(await login(await newUser(domain.id), { system: { all: true } }));
  });

  test('a user without a password', async () => {
    const created = await must('POST', '/users', { body: { user: { name: crypto.randomUUID() } } });
    expectRefused(await login({ id: created.body.user.id, password: '' }));
  });

  test('a disabled user', async () => {
    const disabled = await newUser(domain.id, { enabled: false });
    expectRefused(await login(disabled));
  });

  test('a disabled project', async () => {
    const closed = await newProject(domain.id);
    await grant(user.id, 'member', `projects/${closed.id}`);
    await must('PATCH', `/projects/${closed.id}`, { body: { project: { enabled: false } } });
    expectRefused(await login(user, { project: { id: closed.id } }));
  });

  test('a disabled domain, of the user as of the project', async () => {
    const closing = await newDomain();
    const inside = await newUser(closing.id);
    const within = await newProject(closing.id);
    await grant(user.id, 'member', `projects/${within.id}`);
    await grant(user.id, 'member', `domains/${closing.id}`);
    await must('PATCH', `/domains/${closing.id}`, { body: { domain: { enabled: false } } });
    expectRefused(await login(inside));
    expectRefused(await login(user, { project: { id: within.id } }));
    expectRefused(await login(user, { domain: { id: closing.id } }));
  });
});

describe('malformed log-ins', () => {
  test.each([
    ['no body', undefined, 'Expecting to find auth in request body.'],
    ['no auth', {}, 'Expecting to find auth in request body.'],
    ['a list', [1], 'Expecting to find valid JSON in request body.'],
  ])('%s', async (_, body, message) => {
    const answer = await keystone('POST', '/auth/tokens', { token: null, body });
    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatchObject({
      code: 400,
      title: 'Bad Request',
      message: expect.stringContaining(message),
    });
  });

  test('another type of body', async () => {
    const headers = { 'content-type': 'text/plain' };
    const answer = await keystone('POST', '/auth/tokens', { token: null, body: {}, headers });
    expect(answer.status).toBe(400);
    expect(answer.body.error.message).toContain('Expecting to find application/json in Content-Type header.');
  });

  test('a method that there is not tells those that there are', async () => {
    const body = { auth: { identity: { methods: ['totp'], totp: {} } } };
    const answer = await keystone('POST', '/auth/tokens', { token: null, body });
    expect(answer.status).toBe(401);
    expect(answer.body.error).toMatchObject({
      message: 'Attempted to authenticate with an unsupported method.',
      identity: { methods: ['application_credential', 'password', 'token'] },
    });
  });

  test('a body over the limit', async () => {
    const answer = await keystone('POST', '/auth/tokens', { token: null, body: { auth: 'x'.repeat(1024 * 1024) } });
    expect(answer.status).toBe(413);
  });
});

describe('the default project', () => {
  test('is taken where no scope is asked for', async () => {
    const owner = await newUser(domain.id, { default_project_id: project.id });
    await grant(owner.id, 'reader', `projects/${project.id}`);
    expect((await login(owner)).body.token.project.id).toBe(project.id);
    expect((await login(owner, 'unscoped')).body.token).not.toHaveProperty('project');
  });

  test('is passed over when the user has no role there, or it is disabled or gone', async () => {
    const place = await newProject(domain.id);
    const owner = await newUser(domain.id, { default_project_id: place.id });
    expect((await login(owner)).body.token).not.toHaveProperty('project');
    await grant(owner.id, 'reader', `projects/${place.id}`);
    await must('PATCH', `/projects/${place.id}`, { body: { project: { enabled: false } } });
    expect((await login(owner)).body.token).not.toHaveProperty('project');
    await must('DELETE', `/projects/${place.id}`);
    expect((await login(owner)).body.token).not.toHaveProperty('project');
    expect((await must('GET', `/users/${owner.id}`)).body.user).not.toHaveProperty('default_project_id');
  });
});

describe('roles', () => {
  test('come down from the domain and from projects above, but do not hold there', async () => {
    const own = await newDomain();
    const top = await newProject(own.id);
    const middle = await newProject(own.id, { parent_id: top.id });
    const leaf = await newProject(own.id, { parent_id: middle.id });
    const heir = await newUser(own.id);
    const inherit = async (place: string, role: string) =>
      must('PUT', `/OS-INHERIT/${place}/users/${heir.id}/roles/${await roleId(role)}/inherited_to_projects`);
    await inherit(`domains/${own.id}`, 'reader');
    await inherit(`projects/${top.id}`, 'member');
    const namesOn = async (id: string) => roleNames(await login(heir, { project: { id } }));
    expect(await namesOn(top.id)).toEqual(['reader']);
    expect(await namesOn(middle.id)).toEqual(['member', 'reader']);
    expect(await namesOn(leaf.id)).toEqual(['member', 'reader']);
    expectRefused(await login(heir, { domain: { id: own.id } }));
  });

  test('of a domain of its own are never in a token', async () => {
    const local = await newRole({ domain_id: domain.id });
    const other = await newUser(domain.id);
    const place = await newProject(domain.id);
    await grant(other.id, local.id, `projects/${place.id}`);
    expectRefused(await login(other, { project: { id: place.id } }));
    await grant(other.id, 'reader', `projects/${place.id}`);
    expect(roleNames(await login(other, { project: { id: place.id } }))).toEqual(['reader']);
  });

  test('made by an operator are in a token', async () => {
    const custom = await newRole();
    const place = await newProject(domain.id);
    await grant(user.id, custom.id, `projects/${place.id}`);
    expect(roleNames(await login(user, { project: { id: place.id } }))).toEqual([custom.name]);
  });
});

describe('an exchange of tokens', () => {
  test('keeps the end, adds the method, and names the first of the line', async () => {
    const first = await login(user, 'unscoped');
    const second = await exchange(first.headers.get('x-subject-token') ?? '', { project: { id: project.id } });
    expect(second.status).toBe(201);
    const third = await exchange(second.headers.get('x-subject-token') ?? '', { domain: { id: domain.id } });
    const [a, b, c] = [first, second, third].map((answer) => answer.body.token);
    expect(b.expires_at).toBe(a.expires_at);
    expect(c.expires_at).toBe(a.expires_at);
    expect(b.methods).toEqual(['token', 'password']);
    expect(c.methods).toEqual(['token', 'password']);
    expect(b.audit_ids).toEqual([expect.any(String), a.audit_ids[0]]);
    expect(c.audit_ids).toEqual([expect.any(String), a.audit_ids[0]]);
    expect(b.project.id).toBe(project.id);
    expect(c.domain.id).toBe(domain.id);
  });

  test('is not made for a token that is none', async () => {
    const answer = await exchange('junk', { project: { id: project.id } });
    expect([answer.status, answer.body.error.message]).toEqual([404, 'Failed to validate token']);
  });

  test('does not lead from the system to a project or a domain', async () => {
    const system = await tokenOf(user, { system: { all: true } });
    for (const scope of [{ project: { id: project.id } }, { domain: { id: domain.id } }]) {
      const answer = await exchange(system, scope);
      expect(answer.status).toBe(403);
      expect(answer.body.error.message).toContain('Using a system-scoped token to create a project-scoped');
    }
    expect((await exchange(system, { system: { all: true } })).status).toBe(201);
  });

  test('needs a role on the new scope', async () => {
    const other = await newProject(domain.id);
    expectRefused(await exchange(await tokenOf(user), { project: { id: other.id } }));
  });

  test('with a password needs both to be of one user', async () => {
    const stranger = await newUser(domain.id);
    const both = async (who: TestUser) => {
      const identity = {
        methods: ['token', 'password'],
        token: { id: await tokenOf(user, 'unscoped') },
        password: { user: { id: who.id, password: who.password } },
      };
      return keystone('POST', '/auth/tokens?nocatalog', { token: null, body: { auth: { identity } } });
    };
    expect((await both(user)).body.token.methods).toEqual(['token', 'password']);
    expectRefused(await both(stranger));
  });
});
