import { describe, expect, test } from 'vitest';
import { ORIGIN } from '../../../test/edge-client.ts';
import {
  freshName,
  keystone,
  login,
  must,
  newDomain,
  newGroup,
  newNobody,
  newProject,
  newRole,
  newUser,
  roleId,
  tokenOf,
  validate,
} from '../../../test/edge-identity.ts';

const V3 = `${ORIGIN}/identity/v3`;
const patch = (id: string, group: object) => keystone('PATCH', `/groups/${id}`, { body: { group } });

describe('a group', () => {
  test('is created, shown, changed and deleted', async () => {
    const name = freshName('g');
    const body = { group: { name, domain_id: 'default', description: 'x', colour: 'red' } };
    const created = await keystone('POST', '/groups', { body });
    expect(created.status).toBe(201);
    const { id } = created.body.group;
    expect(created.body.group).toEqual({ ...body.group, id, links: { self: `${V3}/groups/${id}` } });
    expect((await must('GET', `/groups/${id}`)).body).toEqual(created.body);
    expect((await patch(id, { name: `${name}2`, colour: null })).body.group).not.toHaveProperty('colour');
    expect((await must('GET', `/groups?name=${name}2`)).body.groups).toHaveLength(1);
    expect((await patch(id, { domain_id: 'other' })).status).toBe(400);
    expect((await keystone('DELETE', `/groups/${id}`)).status).toBe(204);
    const gone = await keystone('GET', `/groups/${id}`);
    expect([gone.status, gone.body.error.message]).toEqual([404, `Could not find group: ${id}.`]);
  });

  test('has a name of its own in a domain that there is', async () => {
    const domain = await newDomain();
    const name = freshName('g');
    const group = (domain_id: string) => keystone('POST', '/groups', { body: { group: { name, domain_id } } });
    expect([(await group(domain.id)).status, (await group('default')).status]).toEqual([201, 201]);
    const again = await group(domain.id);
    expect([again.status, again.body.error.message]).toEqual([
      409,
      `Conflict occurred attempting to store group - Duplicate entry found with name ${name} at domain ID ${domain.id}.`,
    ]);
    expect((await patch(await newGroup(domain.id), { name })).status).toBe(409);
    expect((await group('nowhere')).status).toBe(404);
    expect((await patch('nothing', { name })).status).toBe(404);
  });

  test('has members', async () => {
    const [user, other, id] = [await newNobody(), await newNobody(), await newGroup()];
    const path = `/groups/${id}/users/${user.id}`;
    const status = async (method: string) => (await keystone(method, path)).status;
    expect([await status('HEAD'), await status('PUT'), await status('PUT'), await status('HEAD')]).toEqual([
      404, 204, 204, 204,
    ]);
    await must('PUT', `/groups/${id}/users/${other.id}`);
    expect((await must('GET', `/groups/${id}/users`)).body.users).toHaveLength(2);
    expect((await must('GET', `/users/${user.id}/groups`)).body.groups).toMatchObject([{ id }]);
    expect([await status('DELETE'), await status('DELETE')]).toEqual([204, 404]);
    expect((await must('GET', `/users/${user.id}/groups`)).body.groups).toEqual([]);
    expect((await keystone('PUT', `/groups/none/users/${user.id}`)).body.error.message).toBe(
      'Could not find group: none.',
    );
    expect((await keystone('PUT', `/groups/${id}/users/nobody`)).body.error.message).toBe(
      'Could not find user: nobody.',
    );
  });
});

/** A user who has a role on a project by a group alone, and that group. */
async function member(role = 'member') {
  const [user, project] = [await newUser(), await newProject()];
  const group = await newGroup('default', [user.id]);
  const path = `/projects/${project.id}/groups/${group}/roles/${await roleId(role)}`;
  await must('PUT', path);
  return { user, project, group, path, scope: { project: { id: project.id } } };
}

describe('what is granted to a group', () => {
  test('its members have, with what it implies', async () => {
    const { user, project, scope, path, group } = await member();
    const answer = await login(user, scope);
    expect(answer.body.token.roles.map((role: { name: string }) => role.name).sort()).toEqual(['member', 'reader']);
    const token = answer.headers.get('x-subject-token') ?? '';
    expect((await must('GET', '/auth/projects', { token })).body.projects).toMatchObject([{ id: project.id }]);
    const listed = (await must('GET', `/role_assignments?group.id=${group}`)).body.role_assignments;
    expect(listed).toMatchObject([{ group: { id: group }, links: { assignment: `${V3}${path}` } }]);
    const effective = (await must('GET', `/role_assignments?effective&user.id=${user.id}`)).body.role_assignments;
    expect(effective).toHaveLength(2);
    expect(effective[0]).toMatchObject({
      user: { id: user.id },
      links: { assignment: `${V3}${path}`, membership: `${V3}/groups/${group}/users/${user.id}` },
    });
    expect((await login(await newUser(), scope)).status).toBe(401);
  });

  test.each([
    ['the grant is taken', (of: Awaited<ReturnType<typeof member>>) => of.path],
    ['the member leaves', (of: Awaited<ReturnType<typeof member>>) => `/groups/${of.group}/users/${of.user.id}`],
    ['the group goes', (of: Awaited<ReturnType<typeof member>>) => `/groups/${of.group}`],
  ])('ends with its tokens when %s', async (_, path) => {
    const of = await member();
    const token = await tokenOf(of.user, of.scope);
    expect((await validate(token)).status).toBe(200);
    await must('DELETE', path(of));
    expect((await validate(token)).status).toBe(404);
    expect((await login(of.user, of.scope)).status).toBe(401);
    expect((await must('GET', `/role_assignments?effective&user.id=${of.user.id}`)).body.role_assignments).toEqual([]);
  });

  test('goes with the domain of the group', async () => {
    const domain = await newDomain();
    const [user, project, group] = [await newUser(), await newProject(), await newGroup(domain.id)];
    await must('PUT', `/groups/${group}/users/${user.id}`);
    await must('PUT', `/projects/${project.id}/groups/${group}/roles/${await roleId('reader')}`);
    const token = await tokenOf(user, { project: { id: project.id } });
    await must('PATCH', `/domains/${domain.id}`, { body: { domain: { enabled: false } } });
    await must('DELETE', `/domains/${domain.id}`);
    expect((await validate(token)).status).toBe(404);
    expect((await must('GET', `/role_assignments?scope.project.id=${project.id}`)).body.role_assignments).toEqual([]);
  });
});

describe('a role that implies another', () => {
  test('brings it, until that ends', async () => {
    const [prior, implied] = [await newRole(), await newRole()];
    const path = `/roles/${prior.id}/implies/${implied.id}`;
    const made = await keystone('PUT', path);
    expect([made.status, made.body.role_inference.implies.name]).toEqual([201, implied.name]);
    const { user, project, scope } = await member();
    await must('PUT', `/projects/${project.id}/users/${user.id}/roles/${prior.id}`);
    const answer = await login(user, scope);
    expect(answer.body.token.roles).toContainEqual({ id: implied.id, name: implied.name });
    expect((await keystone('DELETE', path)).status).toBe(204);
    expect((await keystone('DELETE', path)).status).toBe(404);
    expect((await validate(answer.headers.get('x-subject-token') ?? '')).status).toBe(404);
    expect((await login(user, scope)).body.token.roles).not.toContainEqual({ id: implied.id, name: implied.name });
  });

  test("may be a domain's own, which itself is in no token", async () => {
    const { user, project, scope } = await member();
    const local = await newRole({ domain_id: 'default' });
    const implied = await newRole();
    await must('PUT', `/roles/${local.id}/implies/${implied.id}`);
    await must('PUT', `/projects/${project.id}/users/${user.id}/roles/${local.id}`);
    const answer = await login(user, scope);
    const ids = answer.body.token.roles.map((role: { id: string }) => role.id);
    expect([ids.includes(implied.id), ids.includes(local.id)]).toEqual([true, false]);
    const effective = (await must('GET', `/role_assignments?effective&user.id=${user.id}&role.id=${implied.id}`)).body;
    expect(effective.role_assignments).toHaveLength(1);
    await must('DELETE', `/roles/${local.id}`);
    expect((await validate(answer.headers.get('x-subject-token') ?? '')).status).toBe(404);
  });

  test('never brings admin, nor globally what is local', async () => {
    const [role, local] = [await newRole(), await newRole({ domain_id: 'default' })];
    const admin = await roleId('admin');
    const refused = await keystone('PUT', `/roles/${role.id}/implies/${admin}`);
    expect([refused.status, refused.body.error.message]).toEqual([403, `${admin} cannot be an implied roles.`]);
    expect((await keystone('PUT', `/roles/${role.id}/implies/${local.id}`)).status).toBe(403);
    expect((await keystone('PUT', `/roles/${role.id}/implies/none`)).status).toBe(404);
  });

  test('in a circle ends', async () => {
    const [one, two] = [await newRole(), await newRole()];
    await must('PUT', `/roles/${one.id}/implies/${two.id}`);
    await must('PUT', `/roles/${two.id}/implies/${one.id}`);
    const { user, project, scope } = await member();
    await must('PUT', `/projects/${project.id}/users/${user.id}/roles/${one.id}`);
    expect((await login(user, scope)).body.token.roles).toHaveLength(4);
    const effective = `/role_assignments?effective&user.id=${user.id}&scope.project.id=${project.id}`;
    expect((await must('GET', effective)).body.role_assignments).toHaveLength(4);
  });
});
