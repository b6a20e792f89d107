import { beforeAll, describe, expect, test } from 'vitest';
import { ORIGIN } from '../../../test/edge-client.ts';
import {
  freshName,
  grant,
  keystone,
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
const post = (project: object) => keystone('POST', '/projects', { body: { project } });
const patch = (id: string, project: object) => keystone('PATCH', `/projects/${id}`, { body: { project } });
const idsOf = async (query: string) =>
  (await must('GET', `/projects?${query}`)).body.projects.map((project: { id: string }) => project.id).sort();

describe('a project', () => {
  test('is created, shown, changed and deleted', async () => {
    const name = freshName('p');
    const created = await post({
      name: ` ${name} `,
      domain_id: domain.id,
      description: 'x',
      tags: ['a'],
      colour: 'red',
    });
    expect(created.status).toBe(201);
    const { id } = created.body.project;
    expect(created.body.project).toEqual({
      colour: 'red',
      id,
      name,
      domain_id: domain.id,
      description: 'x',
      enabled: true,
      parent_id: domain.id,
      is_domain: false,
      tags: ['a'],
      options: {},
      links: { self: `${ORIGIN}/identity/v3/projects/${id}` },
    });
    expect((await must('GET', `/projects/${id}`)).body).toEqual(created.body);
    const changed = await patch(id, { name: `${name}2`, description: null, tags: [], enabled: false });
    expect(changed.body.project).toMatchObject({ name: `${name}2`, description: null, tags: [], enabled: false });
    expect((await keystone('DELETE', `/projects/${id}`)).status).toBe(204);
    const gone = await keystone('GET', `/projects/${id}`);
    expect([gone.status, gone.body.error.message]).toEqual([404, `Could not find project: ${id}.`]);
    expect((await patch(id, { name: 'x' })).status).toBe(404);
    expect((await keystone('DELETE', `/projects/${id}`)).status).toBe(404);
  });

  test('is made in the domain of the token, or in the default one', async () => {
    const manager = await newUser(domain.id);
    await grant(manager.id, 'manager', `domains/${domain.id}`);
    const token = await tokenOf(manager, { domain: { id: domain.id } });
    const body = { project: { name: freshName('p') } };
    expect((await must('POST', '/projects', { token, body })).body.project.domain_id).toBe(domain.id);
    expect((await must('POST', '/projects', { body })).body.project.domain_id).toBe('default');
  });

  test('has a name of its own in its domain', async () => {
    const { name } = await newProject(domain.id);
    const again = await post({ name, domain_id: domain.id });
    expect(again.status).toBe(409);
    expect(again.body.error.message).toMatch(
      new RegExp(
        'it is not permitted to have two projects with either the same name or same id in the same domain: ' +
          `name is ${name}, project id [0-9a-f]{32}\\.$`,
      ),
    );
    expect((await post({ name, domain_id: 'default' })).status).toBe(201);
    const other = await newProject(domain.id);
    expect((await patch(other.id, { name })).status).toBe(409);
  });

  test('does not move', async () => {
    const { id } = await newProject(domain.id);
    const message = async (change: object) => {
      const answer = await patch(id, change);
      return [answer.status, answer.body.error?.message];
    };
    expect(await message({ domain_id: 'default' })).toEqual([400, 'Cannot change Domain ID']);
    expect(await message({ parent_id: 'default' })).toEqual([403, 'Update of `parent_id` is not allowed.']);
    expect(await message({ id: 'other' })).toEqual([400, 'Cannot change ID']);
    expect(await message({ is_domain: true })).toEqual([400, 'Update of `is_domain` is not allowed.']);
    expect((await patch(id, { id, domain_id: domain.id, parent_id: domain.id, is_domain: false })).status).toBe(200);
  });

  test('takes what was granted on it along', async () => {
    const { id } = await newProject(domain.id);
    const user = await newNobody(domain.id);
    await grant(user.id, 'member', `projects/${id}`);
    await must('DELETE', `/projects/${id}`);
    const { body } = await must('GET', `/role_assignments?user.id=${user.id}`);
    expect(body.role_assignments).toEqual([]);
  });

  test('that is immutable refuses changes and its end', async () => {
    const { id } = await newProject(domain.id, { options: { immutable: true } });
    expect((await patch(id, { description: 'x' })).status).toBe(403);
    expect((await keystone('PUT', `/projects/${id}/tags/x`)).status).toBe(403);
    expect((await keystone('DELETE', `/projects/${id}`)).status).toBe(403);
    expect((await patch(id, { options: { immutable: false } })).status).toBe(200);
    expect((await keystone('DELETE', `/projects/${id}`)).status).toBe(204);
  });
});

describe('a tree of projects', () => {
  test('is built from parents of the same domain', async () => {
    const name = freshName('p');
    const refusal = async (project: object) => {
      const answer = await post({ name, ...project });
      return [answer.status, answer.body.error?.message];
    };
    const parent = await newProject(domain.id);
    const other = await newDomain();
    expect(await refusal({ domain_id: 'nowhere' })).toEqual([400, 'Could not find domain: nowhere.']);
    expect(await refusal({ parent_id: 'nowhere' })).toEqual([400, 'Could not find project: nowhere.']);
    expect(await refusal({ parent_id: parent.id, domain_id: other.id })).toEqual([
      400,
      `Cannot create project, since it specifies its domain_id ${other.id}, but specifies a parent in a different domain (${domain.id}).`,
    ]);
    expect(await refusal({ parent_id: domain.id, domain_id: other.id })).toEqual([
      400,
      `Cannot create project, the parent (${domain.id}) is acting as a domain, but this project's domain id (${other.id}) does not match the parent's id.`,
    ]);
    expect((await post({ name, parent_id: parent.id, domain_id: domain.id })).body.project.parent_id).toBe(parent.id);
  });

  test('is five deep at most', async () => {
    let parentId = domain.id;
    for (let depth = 1; depth <= 5; depth += 1) parentId = (await newProject(domain.id, { parent_id: parentId })).id;
    const answer = await post({ name: freshName('p'), domain_id: domain.id, parent_id: parentId });
    expect([answer.status, answer.body.error.message]).toEqual([
      403,
      `Max hierarchy depth reached for ${parentId} branch.`,
    ]);
  });

  test('keeps its order: no end and no disabling above what lives, nothing living below what is disabled', async () => {
    const parent = await newProject(domain.id);
    const child = await newProject(domain.id, { parent_id: parent.id });
    const message = async (pending: ReturnType<typeof keystone>) => {
      const answer = await pending;
      return [answer.status, answer.body.error?.message];
    };
    expect(await message(keystone('DELETE', `/projects/${parent.id}`))).toEqual([
      403,
      `Cannot delete the project ${parent.id} since it is not a leaf in the hierarchy. Use the cascade option if you want to delete a whole subtree.`,
    ]);
    expect((await keystone('GET', `/projects/${parent.id}`)).status).toBe(200);
    expect(await message(patch(parent.id, { enabled: false }))).toEqual([
      403,
      `Cannot disable project ${parent.id} since its subtree contains enabled projects.`,
    ]);
    await must('PATCH', `/projects/${child.id}`, { body: { project: { enabled: false } } });
    await must('PATCH', `/projects/${parent.id}`, { body: { project: { enabled: false } } });
    expect(await message(patch(child.id, { enabled: true }))).toEqual([
      403,
      `Cannot enable project ${child.id} since it has disabled parents`,
    ]);
    expect(await message(post({ name: freshName('p'), domain_id: domain.id, parent_id: parent.id }))).toEqual([
      400,
      `cannot create a project in a branch containing a disabled project: ${parent.id}`,
    ]);
  });

  test('is shown as ids, or as the projects that are the own ones', async () => {
    const top = await newProject(domain.id);
    const middle = await newProject(domain.id, { parent_id: top.id });
    const leaf = await newProject(domain.id, { parent_id: middle.id });
    const side = await newProject(domain.id, { parent_id: top.id });
    const show = async (id: string, query: string, token?: string) =>
      (await must('GET', `/projects/${id}?${query}`, token ? { token } : {})).body.project;
    expect((await show(leaf.id, 'parents_as_ids')).parents).toEqual({
      [middle.id]: { [top.id]: { [domain.id]: null } },
    });
    expect((await show(top.id, 'subtree_as_ids')).subtree).toEqual({
      [middle.id]: { [leaf.id]: null },
      [side.id]: null,
    });
    expect((await show(leaf.id, 'subtree_as_ids')).subtree).toBeNull();
    expect((await show(leaf.id, 'parents_as_list')).parents).toEqual([]);
    const user = await newUser(domain.id);
    await grant(user.id, 'reader', `projects/${top.id}`);
    await grant(user.id, 'reader', `projects/${leaf.id}`);
    const token = await tokenOf(user, { project: { id: top.id } });
    const { subtree } = await show(top.id, 'subtree_as_list', token);
    expect(subtree.map((one: { project: { id: string } }) => one.project.id)).toEqual([leaf.id]);
    const both = await keystone('GET', `/projects/${leaf.id}?parents_as_list&parents_as_ids`);
    expect([both.status, both.body.error.message]).toEqual([
      400,
      'Cannot use parents_as_list and parents_as_ids query params at the same time.',
    ]);
  });
});

describe('a list of projects', () => {
  test('can be filtered', async () => {
    const own = await newDomain();
    const top = await newProject(own.id);
    const child = await newProject(own.id, { parent_id: top.id });
    const off = await newProject(own.id, { enabled: false });
    const within = `domain_id=${own.id}`;
    expect(await idsOf(within)).toEqual([top.id, child.id, off.id].sort());
    expect(await idsOf(`${within}&name=${child.name}`)).toEqual([child.id]);
    expect(await idsOf(`${within}&enabled=no`)).toEqual([off.id]);
    expect(await idsOf(`parent_id=${top.id}`)).toEqual([child.id]);
    expect(await idsOf(`parent_id=${own.id}`)).toEqual([top.id, off.id].sort());
    expect(await idsOf(`${within}&is_domain=0`)).toHaveLength(3);
  });

  test('can be filtered by tags', async () => {
    const own = await newDomain();
    const [ab, a, none] = [
      await newProject(own.id, { tags: ['a', 'b'] }),
      await newProject(own.id, { tags: ['a'] }),
      await newProject(own.id),
    ];
    const tagged = (query: string) => idsOf(`domain_id=${own.id}&${query}`);
    expect(await tagged('tags=a')).toEqual([ab.id, a.id].sort());
    expect(await tagged('tags=a,b')).toEqual([ab.id]);
    expect(await tagged('tags-any=b,c')).toEqual([ab.id]);
    expect(await tagged('not-tags=a,b')).toEqual([a.id, none.id].sort());
    expect(await tagged('not-tags-any=a,b')).toEqual([none.id]);
    expect(await tagged("tags=a' OR 1=1 --")).toEqual([]);
  });

  test('with a token of a domain holds those of that one', async () => {
    const own = await newDomain();
    const inside = await newProject(own.id);
    const user = await newUser(own.id);
    await grant(user.id, 'reader', `domains/${own.id}`);
    const token = await tokenOf(user, { domain: { id: own.id } });
    const { body } = await must('GET', '/projects', { token });
    expect(body.projects.map((project: { id: string }) => project.id)).toEqual([inside.id]);
  });
});

describe('tags', () => {
  test('are listed, replaced, added, looked for and removed', async () => {
    const { id } = await newProject(domain.id);
    const tags = `/projects/${id}/tags`;
    const self = `${ORIGIN}/identity/v3${tags}`;
    expect((await must('GET', tags)).body).toEqual({ links: { self }, tags: [] });
    const added = await keystone('PUT', `${tags}/one`);
    expect([added.status, added.headers.get('location')]).toEqual([201, `${self}/one`]);
    expect((await keystone('PUT', `${tags}/one`)).status).toBe(201);
    expect((await must('PUT', tags, { body: { tags: ['two', 'three'] } })).body.tags).toEqual(['two', 'three']);
    expect((await keystone('GET', `${tags}/two`)).status).toBe(204);
    const missing = await keystone('GET', `${tags}/one`);
    expect([missing.status, missing.body.error.message]).toEqual([404, 'Could not find project tag: one.']);
    expect((await keystone('DELETE', `${tags}/two`)).status).toBe(204);
    expect((await keystone('DELETE', `${tags}/two`)).status).toBe(404);
    expect((await keystone('DELETE', tags)).status).toBe(204);
    expect((await must('GET', tags)).body.tags).toEqual([]);
    expect((await keystone('PUT', tags, { body: { tags: ['a,b'] } })).status).toBe(400);
    expect((await keystone('PUT', `${tags}/${'x'.repeat(256)}`)).status).toBe(400);
    expect((await keystone('GET', '/projects/nowhere/tags')).status).toBe(404);
  });

  test('are 80 at most', async () => {
    const { id } = await newProject(domain.id, { tags: Array.from({ length: 80 }, (_, at) => `t${at}`) });
    expect((await keystone('PUT', `/projects/${id}/tags/more`)).status).toBe(400);
  });
});

describe('a domain as a project', () => {
  test('is changed and deleted as one', async () => {
    const { id } = await newDomain();
    expect((await keystone('DELETE', `/projects/${id}`)).status).toBe(403);
    const changed = await patch(id, { enabled: false, description: 'x' });
    expect(changed.body.project).toMatchObject({ id, is_domain: true, enabled: false, description: 'x' });
    expect((await keystone('DELETE', `/projects/${id}`)).status).toBe(204);
    expect((await keystone('GET', `/domains/${id}`)).status).toBe(404);
  });

  test('is shown, listed and created as one', async () => {
    const shown = await must('GET', `/projects/${domain.id}`);
    expect(shown.body.project).toMatchObject({
      id: domain.id,
      name: domain.name,
      is_domain: true,
      domain_id: null,
      parent_id: null,
      links: { self: `${ORIGIN}/identity/v3/projects/${domain.id}` },
    });
    expect(await idsOf(`is_domain=1&name=${domain.name}`)).toEqual([domain.id]);
    expect(await idsOf(`name=${domain.name}`)).toEqual([]);
    const created = await post({ name: freshName('d'), is_domain: true });
    expect([created.status, created.body.project.is_domain]).toEqual([201, true]);
    expect((await keystone('GET', `/domains/${created.body.project.id}`)).status).toBe(200);
    expect((await post({ name: freshName('d'), is_domain: true, parent_id: domain.id })).status).toBe(400);
  });
});
