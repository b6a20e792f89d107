import { describe, expect, test } from 'vitest';
import { ORIGIN } from '../../../test/edge-client.ts';
import {
  freshName,
  grant,
  keystone,
  must,
  newDomain,
  newProject,
  newRole,
  newUser,
  tokenOf,
} from '../../../test/edge-identity.ts';

const patch = (id: string, domain: object) => keystone('PATCH', `/domains/${id}`, { body: { domain } });

describe('a domain', () => {
  test('is created, shown, changed and deleted', async () => {
    const name = freshName('d');
    const created = await keystone('POST', '/domains', { body: { domain: { name, description: 'x', colour: 'red' } } });
    expect(created.status).toBe(201);
    const { id } = created.body.domain;
    expect(created.body.domain).toEqual({
      colour: 'red',
      id,
      name,
      description: 'x',
      enabled: true,
      tags: [],
      options: {},
      links: { self: `${ORIGIN}/identity/v3/domains/${id}` },
    });
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect((await must('GET', `/domains/${id}`)).body).toEqual(created.body);
    const changed = await patch(id, { description: null, colour: null, shade: 1, enabled: false });
    expect(changed.body.domain).toMatchObject({ name, description: null, enabled: false, shade: 1 });
    expect(changed.body.domain).not.toHaveProperty('colour');
    expect((await keystone('DELETE', `/domains/${id}`)).status).toBe(204);
    const gone = await keystone('GET', `/domains/${id}`);
    expect([gone.status, gone.body.error]).toEqual([
      404,
      { code: 404, title: 'Not Found', message: `Could not find domain: ${id}.` },
    ]);
    expect((await patch(id, { name: 'x' })).status).toBe(404);
    expect((await keystone('DELETE', `/domains/${id}`)).status).toBe(404);
  });

  test('can be given its id', async () => {
    const id = crypto.randomUUID().replaceAll('-', '');
    const body = { domain: { name: freshName('d'), explicit_domain_id: id } };
    expect((await must('POST', '/domains', { body })).body.domain.id).toBe(id);
    const again = await keystone('POST', '/domains', { body: { domain: { ...body.domain, name: freshName('d') } } });
    expect([again.status, again.body.error.message]).toEqual([
      409,
      `Conflict occurred attempting to store project - Duplicate ID, ${id}.`,
    ]);
  });

  test('has a name of its own', async () => {
    const one = await newDomain();
    const other = await newDomain();
    const message =
      'Conflict occurred attempting to store project - it is not permitted to have two projects acting as domains ' +
      `with the same name: ${one.name}.`;
    const created = await keystone('POST', '/domains', { body: { domain: { name: one.name } } });
    expect([created.status, created.body.error.message]).toEqual([409, message]);
    const renamed = await patch(other.id, { name: one.name });
    expect([renamed.status, renamed.body.error.message]).toEqual([409, message]);
  });

  test('must be disabled before it is deleted', async () => {
    const { id } = await newDomain();
    const answer = await keystone('DELETE', `/domains/${id}`);
    expect([answer.status, answer.body.error.message]).toEqual([
      403,
      'Cannot delete a domain that is enabled, please disable it first.',
    ]);
    expect((await keystone('GET', `/domains/${id}`)).status).toBe(200);
  });

  test('goes with all that is in it', async () => {
    const { id } = await newDomain();
    const top = await newProject(id);
    const below = await newProject(id, { parent_id: top.id });
    const user = await newUser(id, { default_project_id: below.id });
    const guest = await newUser('default', { default_project_id: top.id });
    const outside = await newProject();
    const role = await newRole({ domain_id: id });
    await grant(guest.id, 'member', `projects/${top.id}`);
    await grant(guest.id, 'member', `domains/${id}`);
    await grant(user.id, 'member', `projects/${outside.id}`);
    await must('PATCH', `/domains/${id}`, { body: { domain: { enabled: false } } });
    await must('DELETE', `/domains/${id}`);
    for (const path of [`/projects/${top.id}`, `/projects/${below.id}`, `/users/${user.id}`, `/roles/${role.id}`]) {
      expect((await keystone('GET', path)).status, path).toBe(404);
    }
    const left = async (query: string) => (await must('GET', `/role_assignments?${query}`)).body.role_assignments;
    expect(await left(`user.id=${guest.id}`)).toEqual([]);
    expect(await left(`user.id=${user.id}`)).toEqual([]);
    expect((await must('GET', `/users/${guest.id}`)).body.user).not.toHaveProperty('default_project_id');
    expect((await keystone('GET', `/projects/${outside.id}`)).status).toBe(200);
  });

  test('that is immutable refuses changes and its end, until that is lifted', async () => {
    const { id } = await newDomain();
    await must('PATCH', `/domains/${id}`, { body: { domain: { options: { immutable: true } } } });
    expect((await patch(id, { description: 'x' })).status).toBe(403);
    expect((await keystone('DELETE', `/domains/${id}`)).status).toBe(403);
    const lifted = await patch(id, { options: { immutable: null } });
    expect(lifted.body.domain.options).toEqual({});
    expect((await patch(id, { description: 'x' })).status).toBe(200);
  });
});

describe('a list of domains', () => {
  const names = async (query: string) =>
    (await must('GET', `/domains?${query}`)).body.domains.map((domain: { name: string }) => domain.name);

  test('can be filtered by name and by whether they are enabled', async () => {
    const one = await newDomain();
    const off = await newDomain();
    await must('PATCH', `/domains/${off.id}`, { body: { domain: { enabled: false } } });
    expect(await names(`name=${one.name}`)).toEqual([one.name]);
    expect(await names(`name=${one.name}&enabled=0`)).toEqual([]);
    expect(await names(`name=${off.name}&enabled=false`)).toEqual([off.name]);
    expect(await names(`name__contains=${one.name.slice(3, 20)}`)).toEqual([one.name]);
    expect(await names(`name__istartswith=${one.name.slice(0, 30).toUpperCase()}`)).toEqual([one.name]);
    expect(await names(`name__startswith=${one.name.slice(0, 30).toUpperCase()}`)).toEqual([]);
    expect(await names(`name__endswith=${one.name.slice(-12)}`)).toEqual([one.name]);
  });

  test('comes in pages', async () => {
    // Other tests make domains meanwhile.
    const prefix = `pages-${crypto.randomUUID()}`;
    for (const name of ['a', 'b', 'c']) await must('POST', '/domains', { body: { domain: { name: prefix + name } } });
    const seen: string[] = [];
    let path: string | null = `/domains?limit=1&name__startswith=${prefix}`;
    while (path !== null) {
      const { body } = await must('GET', path);
      expect(body.domains).toHaveLength(1);
      seen.push(...body.domains.map((domain: { id: string }) => domain.id));
      expect(body.truncated).toBe(body.links.next === null ? undefined : true);
      path = body.links.next?.replace(`${ORIGIN}/identity/v3`, '') ?? null;
    }
    const all = (await must('GET', `/domains?name__startswith=${prefix}`)).body.domains;
    expect(seen).toEqual(all.map((domain: { id: string }) => domain.id));
    expect(seen).toHaveLength(3);
  });

  test.each(['x', '0', '-1', '1.5', ''])('refuses a limit of %j', async (limit) => {
    expect((await keystone('GET', `/domains?limit=${limit}`)).status).toBe(400);
  });

  test('with a token of a domain holds that one alone', async () => {
    const { id } = await newDomain();
    const user = await newUser(id);
    await grant(user.id, 'reader', `domains/${id}`);
    const { body } = await must('GET', '/domains', { token: await tokenOf(user, { domain: { id } }) });
    expect(body.domains.map((domain: { id: string }) => domain.id)).toEqual([id]);
  });
});

test.each([
  ['no domain', {}],
  ['no name', { domain: {} }],
  ['an empty name', { domain: { name: '' } }],
  ['a long name', { domain: { name: 'x'.repeat(65) } }],
  ['a word for enabled', { domain: { name: 'x', enabled: 'yes' } }],
  ['a list', { domain: [] }],
])('a domain with %s is refused', async (_, body) => {
  const answer = await keystone('POST', '/domains', { body });
  expect([answer.status, answer.body.error.title]).toEqual([400, 'Bad Request']);
});
