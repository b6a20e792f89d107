import { eq } from 'drizzle-orm';
import { beforeAll, describe, expect, test } from 'vitest';
import { audit } from '../../../db/schema/audit.ts';
import { users } from '../../../db/schema/identity.ts';
import { ORIGIN } from '../../../test/edge-client.ts';
import { edgeContext } from '../../../test/edge-context.ts';
import {
  freshName,
  grant,
  keystone,
  login,
  must,
  newDomain,
  newNobody,
  newProject,
  newUser,
  tokenOf,
} from '../../../test/edge-identity.ts';

let domain: { id: string; name: string };
beforeAll(async () => {
  domain = await newDomain();
});
const post = (user: object) => keystone('POST', '/users', { body: { user } });
const patch = (id: string, user: object) => keystone('PATCH', `/users/${id}`, { body: { user } });
const changePassword = (id: string, user: object) =>
  keystone('POST', `/users/${id}/password`, { token: null, body: { user } });

describe('a user', () => {
  test('is created, shown, changed and deleted, and its password is never shown', async () => {
    const name = freshName('u');
    const created = await post({ name, password: 'secret', domain_id: domain.id, email: 'a@b.c', nick: 'n' });
    expect(created.status).toBe(201);
    const { id } = created.body.user;
    expect(created.body.user).toEqual({
      nick: 'n',
      email: 'a@b.c',
      id,
      name,
      domain_id: domain.id,
      enabled: true,
      password_expires_at: null,
      options: {},
      links: { self: `${ORIGIN}/identity/v3/users/${id}` },
    });
    expect((await must('GET', `/users/${id}`)).body).toEqual(created.body);
    const changed = await patch(id, { name: `${name}2`, email: null, description: 'd', nick: null, password: 'other' });
    expect(changed.body.user).toEqual({
      ...created.body.user,
      name: `${name}2`,
      description: 'd',
      nick: undefined,
      email: undefined,
    });
    expect((await keystone('DELETE', `/users/${id}`)).status).toBe(204);
    const gone = await keystone('GET', `/users/${id}`);
    expect([gone.status, gone.body.error.message]).toEqual([404, `Could not find user: ${id}.`]);
    expect((await patch(id, { name: 'x' })).status).toBe(404);
    expect((await keystone('DELETE', `/users/${id}`)).status).toBe(404);
  });

  test('is kept with a hash alone, and no secret lands in the audit', async () => {
    const user = await newUser(domain.id);
    await must('PATCH', `/users/${user.id}`, { body: { user: { password: 'another-secret' } } });
    const { db } = edgeContext();
    const [row] = await db.select().from(users).where(eq(users.id, user.id));
    expect(row?.passwordHash).toMatch(/^scrypt\$/);
    const rows = await db.select().from(audit).where(eq(audit.targetId, user.id));
    expect(rows.map(({ action }) => action)).toEqual(['identity:create_user', 'identity:update_user']);
    expect(JSON.stringify([row, rows])).not.toMatch(new RegExp(`${user.password}|another-secret`));
    expect(rows[1]?.detail).toEqual({ changed: ['password'] });
  });

  test('has a name of its own in its domain', async () => {
    const { name } = await newUser(domain.id);
    const message = `Conflict occurred attempting to store user - Duplicate entry found with name ${name} at domain ID ${domain.id}.`;
    const again = await post({ name, domain_id: domain.id });
    expect([again.status, again.body.error.message]).toEqual([409, message]);
    expect((await post({ name })).status).toBe(201);
    const other = await newNobody(domain.id);
    const renamed = await patch(other.id, { name });
    expect([renamed.status, renamed.body.error.message]).toEqual([409, message]);
  });

  test('is made in the domain of the token, or in the default one', async () => {
    const manager = await newUser(domain.id);
    await grant(manager.id, 'manager', `domains/${domain.id}`);
    const token = await tokenOf(manager, { domain: { id: domain.id } });
    const body = { user: { name: freshName('u') } };
    expect((await must('POST', '/users', { token, body })).body.user.domain_id).toBe(domain.id);
    expect((await must('POST', '/users', { body })).body.user.domain_id).toBe('default');
  });

  test('does not move, and is not where there is no domain', async () => {
    const { id } = await newNobody(domain.id);
    const message = async (pending: ReturnType<typeof keystone>) => {
      const answer = await pending;
      return [answer.status, answer.body.error?.message];
    };
    expect(await message(patch(id, { domain_id: 'default' }))).toEqual([400, 'Cannot change Domain ID']);
    expect(await message(patch(id, { id: 'other' }))).toEqual([400, 'Cannot change ID']);
    expect(await message(post({ name: 'x', domain_id: 'nowhere' }))).toEqual([404, 'Could not find domain: nowhere.']);
    const asDomain = `User's default project ID cannot be a domain ID: ${domain.id}`;
    expect(await message(post({ name: 'x', default_project_id: domain.id }))).toEqual([400, asDomain]);
    expect(await message(patch(id, { default_project_id: domain.id }))).toEqual([400, asDomain]);
    expect((await patch(id, { id, domain_id: domain.id })).status).toBe(200);
  });

  test('takes what was granted along', async () => {
    const user = await newNobody(domain.id);
    const project = await newProject(domain.id);
    await grant(user.id, 'member', `projects/${project.id}`);
    await must('DELETE', `/users/${user.id}`);
    const { body } = await must('GET', `/role_assignments?scope.project.id=${project.id}`);
    expect(body.role_assignments).toEqual([]);
  });
});

describe('the own password', () => {
  test('is changed with the old one, by no other right', async () => {
    const user = await newUser(domain.id);
    const changed = await changePassword(user.id, { original_password: user.password, password: 'second' });
    expect([changed.status, changed.body]).toEqual([204, '']);
    expect((await login(user)).status).toBe(401);
    expect((await login({ ...user, password: 'second' })).status).toBe(201);
    const { db } = edgeContext();
    const rows = await db.select().from(audit).where(eq(audit.targetId, user.id));
    expect(rows.at(-1)).toMatchObject({ action: 'identity:change_password', actorType: 'user', actorId: user.id });
  });

  test('is not changed with a wrong one, for nobody, or for a user who is disabled', async () => {
    const user = await newUser(domain.id);
    const change = { original_password: user.password, password: 'second' };
    expect((await changePassword(user.id, { ...change, original_password: 'wrong' })).status).toBe(401);
    expect((await changePassword('nobody', change)).status).toBe(401);
    expect((await changePassword(user.id, { password: 'second' })).status).toBe(400);
    await must('PATCH', `/users/${user.id}`, { body: { user: { enabled: false } } });
    expect((await changePassword(user.id, change)).status).toBe(401);
    await must('PATCH', `/users/${user.id}`, { body: { user: { enabled: true } } });
    expect((await login(user)).status).toBe(201);
  });

  test('is not changed where an admin locked it', async () => {
    const user = await newUser(domain.id, { options: { lock_password: true } });
    const answer = await changePassword(user.id, { original_password: user.password, password: 'second' });
    expect([answer.status, answer.body.error.message.split('.')[0]]).toEqual([
      400,
      'You cannot change your password at this time due to password policy disallowing password changes',
    ]);
  });

  test('changed twice at once is changed once', async () => {
    const user = await newUser(domain.id);
    const answers = await Promise.all(
      ['second', 'third'].map((password) => changePassword(user.id, { original_password: user.password, password })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 401]);
    const winner = answers[0]?.status === 204 ? 'second' : 'third';
    expect((await login({ ...user, password: winner })).status).toBe(201);
  });

  test('can be taken away', async () => {
    const user = await newUser(domain.id);
    await must('PATCH', `/users/${user.id}`, { body: { user: { password: null } } });
    expect((await login(user)).status).toBe(401);
    expect((await login({ ...user, password: '' })).status).toBe(401);
  });
});

describe('a list of users', () => {
  const idsOf = async (query: string) =>
    (await must('GET', `/users?${query}`)).body.users.map((user: { id: string }) => user.id).sort();

  test('can be filtered', async () => {
    const own = await newDomain();
    const on = await newUser(own.id);
    const off = await newUser(own.id, { enabled: false });
    expect(await idsOf(`domain_id=${own.id}`)).toEqual([on.id, off.id].sort());
    expect(await idsOf(`domain_id=${own.id}&enabled=false`)).toEqual([off.id]);
    expect(await idsOf(`domain_id=${own.id}&name=${on.name}`)).toEqual([on.id]);
    expect(await idsOf(`domain_id=${own.id}&name__icontains=${on.name.slice(2).toUpperCase()}`)).toEqual([on.id]);
    expect(await idsOf("domain_id=x' OR '1'='1")).toEqual([]);
  });

  test('with a token of a domain holds those of that one', async () => {
    const own = await newDomain();
    const user = await newUser(own.id);
    await grant(user.id, 'reader', `domains/${own.id}`);
    const token = await tokenOf(user, { domain: { id: own.id } });
    const { body } = await must('GET', '/users', { token });
    expect(body.users.map((one: { id: string }) => one.id)).toEqual([user.id]);
  });
});

describe("a user's projects", () => {
  test('are those with a role, there or from above', async () => {
    const own = await newDomain();
    const user = await newUser(own.id);
    const direct = await newProject(own.id, { enabled: false });
    await newProject(own.id);
    await grant(user.id, 'reader', `projects/${direct.id}`);
    const path = `/users/${user.id}/projects`;
    const answer = await must('GET', path);
    expect(answer.body.projects.map((one: { id: string }) => one.id)).toEqual([direct.id]);
    expect(answer.body.links.self).toBe(`${ORIGIN}/identity/v3${path}`);
    expect((await must('GET', `${path}?enabled=1`)).body.projects).toEqual([]);
    const token = await tokenOf(user);
    expect((await must('GET', path, { token })).body.projects).toHaveLength(1);
    expect((await keystone('GET', '/users/nobody/projects')).status).toBe(404);
  });
});

test.each([
  ['no user', {}],
  ['no name', { user: {} }],
  ['a number for a password', { user: { name: 'x', password: 5 } }],
  ['an option that there is not', { user: { name: 'x', options: { bogus: true } } }],
  ['second factors', { user: { name: 'x', options: { multi_factor_auth_enabled: true } } }],
])('a user with %s is refused', async (_, body) => {
  expect((await keystone('POST', '/users', { body })).status).toBe(400);
});
