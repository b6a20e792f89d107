import { describe, expect, test } from 'vitest';
import { ORIGIN } from '../../../test/edge-client.ts';
import {
  freshName,
  grant,
  keystone,
  must,
  newDomain,
  newNobody,
  newProject,
  newRole,
  roleId,
} from '../../../test/edge-identity.ts';

const patch = (id: string, role: object) => keystone('PATCH', `/roles/${id}`, { body: { role } });

describe('a role', () => {
  test('is created, shown, changed and deleted', async () => {
    const name = freshName('r');
    const created = await keystone('POST', '/roles', { body: { role: { name, description: 'x' } } });
    expect(created.status).toBe(201);
    const { id } = created.body.role;
    expect(created.body.role).toEqual({
      id,
      name,
      domain_id: null,
      description: 'x',
      options: {},
      links: { self: `${ORIGIN}/identity/v3/roles/${id}` },
    });
    expect((await must('GET', `/roles/${id}`)).body).toEqual(created.body);
    expect((await patch(id, { name: `${name}2`, description: null })).body.role).toMatchObject({
      name: `${name}2`,
      description: null,
    });
    expect((await keystone('DELETE', `/roles/${id}`)).status).toBe(204);
    const gone = await keystone('GET', `/roles/${id}`);
    expect([gone.status, gone.body.error.message]).toEqual([404, `Could not find role: ${id}.`]);
  });

  test('has a name of its own, in its domain or globally', async () => {
    const domain = await newDomain();
    const { id, name } = await newRole();
    const again = await keystone('POST', '/roles', { body: { role: { name } } });
    expect([again.status, again.body.error.message]).toEqual([
      409,
      `Conflict occurred attempting to store role - Duplicate entry found with name ${name}.`,
    ]);
    const local = await must('POST', '/roles', { body: { role: { name, domain_id: domain.id } } });
    expect(local.body.role.domain_id).toBe(domain.id);
    const other = await newRole();
    expect((await patch(other.id, { name })).status).toBe(409);
    expect((await patch(id, { domain_id: domain.id })).status).toBe(400);
    const nowhere = await keystone('POST', '/roles', { body: { role: { name, domain_id: 'nowhere' } } });
    expect([nowhere.status, nowhere.body.error.message]).toEqual([404, 'Could not find domain: nowhere.']);
  });

  test.each(['admin', 'manager', 'member', 'reader', 'service'])('%s is protected', async (name) => {
    const id = await roleId(name);
    for (const answer of [await patch(id, { name: 'x' }), await keystone('DELETE', `/roles/${id}`)]) {
      expect(answer.status).toBe(403);
      expect(answer.body.error.message).toContain(`immutable role resource: \`${id}.`);
    }
  });

  test('takes along what was granted of it', async () => {
    const role = await newRole();
    const user = await newNobody();
    const project = await newProject();
    await grant(user.id, role.id, `projects/${project.id}`);
    await must('DELETE', `/roles/${role.id}`);
    const { body } = await must('GET', `/role_assignments?user.id=${user.id}`);
    expect(body.role_assignments).toEqual([]);
  });
});

test('a list holds the global roles, or those of one domain', async () => {
  const domain = await newDomain();
  const local = await newRole({ domain_id: domain.id });
  const global = await newRole();
  const ids = async (query: string) =>
    (await must('GET', `/roles?${query}`)).body.roles.map((role: { id: string }) => role.id);
  expect(await ids(`domain_id=${domain.id}`)).toEqual([local.id]);
  expect(await ids('')).toEqual(expect.arrayContaining([global.id, await roleId('admin')]));
  expect(await ids('')).not.toContain(local.id);
  expect(await ids(`name=${global.name}`)).toEqual([global.id]);
});

test('what a role implies can be looked up', async () => {
  const [admin, manager, member, reader] = await Promise.all(['admin', 'manager', 'member', 'reader'].map(roleId));
  const view = (id: string | undefined, name: string) => ({
    id,
    links: { self: `${ORIGIN}/identity/v3/roles/${id}` },
    name,
  });
  const { body } = await must('GET', `/roles/${admin}/implies`);
  expect(body).toEqual({
    role_inference: { prior_role: view(admin, 'admin'), implies: [view(manager, 'manager')] },
    links: { self: `${ORIGIN}/identity/v3/roles/${admin}/implies` },
  });
  const all = (await must('GET', '/role_inferences')).body.role_inferences;
  expect(all.length).toBeGreaterThanOrEqual(3);
  expect(all).toContainEqual({ prior_role: view(member, 'member'), implies: [view(reader, 'reader')] });
  const one = await must('GET', `/roles/${admin}/implies/${manager}`);
  expect(one.body.role_inference).toEqual({ prior_role: view(admin, 'admin'), implies: view(manager, 'manager') });
  expect((await keystone('HEAD', `/roles/${admin}/implies/${manager}`)).status).toBe(204);
  expect((await keystone('GET', `/roles/${reader}/implies/${admin}`)).status).toBe(404);
  expect((await must('GET', `/roles/${reader}/implies`)).body.role_inference.implies).toEqual([]);
  expect((await keystone('GET', '/roles/nowhere/implies')).status).toBe(404);
});
