import { beforeAll, describe, expect, test } from 'vitest';
import { ORIGIN } from '../../../test/edge-client.ts';
import {
  grant,
  keystone,
  must,
  newDomain,
  newNobody,
  newProject,
  newRole,
  newUser,
  roleId,
  tokenOf,
} from '../../../test/edge-identity.ts';

const V3 = `${ORIGIN}/identity/v3`;
let domain: { id: string; name: string };
let project: { id: string; name: string };
let member: string;
let reader: string;
beforeAll(async () => {
  domain = await newDomain();
  project = await newProject(domain.id);
  [member, reader] = [await roleId('member'), await roleId('reader')];
});

describe.each([
  ['a project', () => `/projects/${project.id}`, ''],
  ['a domain', () => `/domains/${domain.id}`, ''],
  ['the system', () => '/system', ''],
  ['the projects below a project', () => `/OS-INHERIT/projects/${project.id}`, '/inherited_to_projects'],
  ['the projects of a domain', () => `/OS-INHERIT/domains/${domain.id}`, '/inherited_to_projects'],
])('a role on %s', (_, place, end) => {
  test('is granted, seen, and taken', async () => {
    const user = await newNobody(domain.id);
    const list = `${place()}/users/${user.id}/roles${end}`;
    const one = `${place()}/users/${user.id}/roles/${member}${end}`;
    const status = async (method: string) => (await keystone(method, one)).status;
    expect(await status('GET')).toBe(404);
    expect([await status('PUT'), await status('PUT'), await status('GET'), await status('HEAD')]).toEqual([
      204, 204, 204, 204,
    ]);
    const listed = await must('GET', list);
    expect(listed.body).toMatchObject({
      roles: [{ id: member, name: 'member', domain_id: null, options: { immutable: true } }],
      links: { next: null, self: `${V3}${list}`, previous: null },
    });
    expect([await status('DELETE'), await status('DELETE'), await status('GET')]).toEqual([204, 404, 404]);
    expect((await must('GET', list)).body.roles).toEqual([]);
  });
});

describe('a grant needs its parts', () => {
  const message = async (method: string, path: string) => {
    const answer = await keystone(method, path);
    return [answer.status, answer.body.error?.message];
  };

  test('the role, the user and the target', async () => {
    const user = await newNobody(domain.id);
    const on = `/projects/${project.id}/users`;
    expect(await message('PUT', `${on}/${user.id}/roles/nothing`)).toEqual([404, 'Could not find role: nothing.']);
    expect(await message('PUT', `${on}/nobody/roles/${member}`)).toEqual([404, 'Could not find user: nobody.']);
    expect(await message('PUT', `/projects/nowhere/users/${user.id}/roles/${member}`)).toEqual([
      404,
      'Could not find project: nowhere.',
    ]);
    expect(await message('PUT', `/domains/nowhere/users/${user.id}/roles/${member}`)).toEqual([
      404,
      'Could not find domain: nowhere.',
    ]);
    expect(await message('GET', `/projects/nowhere/users/${user.id}/roles`)).toEqual([
      404,
      'Could not find project: nowhere.',
    ]);
    expect(await message('DELETE', `${on}/${user.id}/roles/${member}`)).toEqual([
      404,
      `Could not find role assignment with role: ${member}, user or group: ${user.id}, project, domain, or system: ${project.id}.`,
    ]);
    expect(await message('GET', `/system/users/${user.id}/roles/${member}`)).toEqual([
      404,
      `Could not find role assignment with role: ${member}, user or group: ${user.id}, project, domain, or system: system.`,
    ]);
  });

  test('of one domain, where the role belongs to one', async () => {
    const user = await newNobody(domain.id);
    const foreign = await newRole({ domain_id: (await newDomain()).id });
    const own = await newRole({ domain_id: domain.id });
    expect(await message('PUT', `/projects/${project.id}/users/${user.id}/roles/${foreign.id}`)).toEqual([
      403,
      `Project ${project.id} must be in the same domain as the role ${foreign.id} being assigned.`,
    ]);
    expect((await keystone('PUT', `/projects/${project.id}/users/${user.id}/roles/${own.id}`)).status).toBe(204);
  });
});

describe('a list of role assignments', () => {
  const list = async (query: string, token?: string) =>
    (await must('GET', `/role_assignments?${query}`, token ? { token } : {})).body.role_assignments;

  test('names what is connected, and where to find it', async () => {
    const user = await newUser(domain.id);
    await grant(user.id, 'member', `projects/${project.id}`);
    await grant(user.id, 'member', `domains/${domain.id}`);
    await grant(user.id, 'member', 'system');
    const entry = (scope: object, path: string) => ({
      links: { assignment: `${V3}/${path}/users/${user.id}/roles/${member}` },
      scope,
      user: { id: user.id },
      role: { id: member },
    });
    const all = await list(`user.id=${user.id}`);
    expect(all).toHaveLength(3);
    expect(all).toEqual(
      expect.arrayContaining([
        entry({ project: { id: project.id } }, `projects/${project.id}`),
        entry({ domain: { id: domain.id } }, `domains/${domain.id}`),
        entry({ system: { all: true } }, 'system'),
      ]),
    );
    const named = await list(`user.id=${user.id}&include_names&scope.project.id=${project.id}`);
    expect(named).toEqual([
      {
        links: { assignment: `${V3}/projects/${project.id}/users/${user.id}/roles/${member}` },
        scope: { project: { id: project.id, name: project.name, domain } },
        user: { id: user.id, name: user.name, domain },
        role: { id: member, name: 'member' },
      },
    ]);
    expect((await list(`user.id=${user.id}&include_names&scope.domain.id=${domain.id}`))[0].scope).toEqual({ domain });
  });

  test('can be filtered', async () => {
    const user = await newNobody(domain.id);
    await grant(user.id, 'member', `projects/${project.id}`);
    await grant(user.id, 'reader', 'system');
    const of = async (query: string) => (await list(`user.id=${user.id}&${query}`)).length;
    expect(await of('')).toBe(2);
    expect(await of(`role.id=${reader}`)).toBe(1);
    expect(await of('scope.system=all')).toBe(1);
    expect(await of(`scope.project.id=${project.id}`)).toBe(1);
    expect(await of(`scope.domain.id=${domain.id}`)).toBe(0);
    expect(await list('user.id=nobody')).toEqual([]);
    expect(await list('group.id=nobody')).toEqual([]);
  });

  test('in effect holds the implied roles, with what implies them', async () => {
    const user = await newNobody(domain.id);
    const manager = await roleId('manager');
    await grant(user.id, 'manager', `projects/${project.id}`);
    const path = `${V3}/projects/${project.id}/users/${user.id}/roles`;
    const found = await list(`effective&user.id=${user.id}`);
    expect(found.map((one: { role: { id: string }; links: object }) => [one.role.id, one.links])).toEqual([
      [manager, { assignment: `${path}/${manager}` }],
      [member, { assignment: `${path}/${manager}`, prior_role: `${V3}/prior_role/${member}/implies/${manager}` }],
      [reader, { assignment: `${path}/${member}`, prior_role: `${V3}/prior_role/${reader}/implies/${member}` }],
    ]);
    expect(await list(`effective&user.id=${user.id}&role.id=${reader}`)).toHaveLength(1);
    expect(await list(`user.id=${user.id}&role.id=${reader}`)).toEqual([]);
  });

  test('in effect has inherited ones on the projects they reach', async () => {
    const own = await newDomain();
    const top = await newProject(own.id);
    const leaf = await newProject(own.id, { parent_id: top.id });
    const user = await newNobody(own.id);
    const inherit = (place: string) =>
      must('PUT', `/OS-INHERIT/${place}/users/${user.id}/roles/${reader}/inherited_to_projects`);
    await inherit(`domains/${own.id}`);
    const link = (place: string) => ({
      assignment: `${V3}/OS-INHERIT/${place}/users/${user.id}/roles/${reader}/inherited_to_projects`,
    });
    const entry = (scope: object, place: string) => ({
      links: link(place),
      scope: { ...scope, 'OS-INHERIT:inherited_to': 'projects' },
      user: { id: user.id },
      role: { id: reader },
    });
    expect(await list(`user.id=${user.id}`)).toEqual([entry({ domain: { id: own.id } }, `domains/${own.id}`)]);
    const effective = await list(`effective&user.id=${user.id}`);
    expect(effective).toHaveLength(2);
    expect(effective).toEqual(
      expect.arrayContaining([top, leaf].map(({ id }) => entry({ project: { id } }, `domains/${own.id}`))),
    );
    await must('DELETE', `/OS-INHERIT/domains/${own.id}/users/${user.id}/roles/${reader}/inherited_to_projects`);
    await inherit(`projects/${top.id}`);
    expect(await list(`effective&user.id=${user.id}`)).toEqual([
      entry({ project: { id: leaf.id } }, `projects/${top.id}`),
    ]);
    expect(await list(`user.id=${user.id}&scope.OS-INHERIT:inherited_to=projects`)).toHaveLength(1);
    expect(await list(`user.id=${user.id}&scope.OS-INHERIT:inherited_to=none`)).toEqual([]);
  });

  test('can take in the projects below', async () => {
    const leaf = await newProject(domain.id, { parent_id: project.id });
    const user = await newNobody(domain.id);
    await grant(user.id, 'member', `projects/${leaf.id}`);
    expect(await list(`user.id=${user.id}&scope.project.id=${project.id}`)).toEqual([]);
    expect(await list(`user.id=${user.id}&scope.project.id=${project.id}&include_subtree`)).toHaveLength(1);
    const without = await keystone('GET', '/role_assignments?include_subtree');
    expect([without.status, without.body.error.message]).toEqual([
      400,
      'scope.project.id must be specified if include_subtree is also specified',
    ]);
    expect((await keystone('GET', '/role_assignments?include_subtree&scope.project.id=nowhere')).status).toBe(404);
  });

  test('with a token of a domain holds what is granted in that one', async () => {
    const own = await newDomain();
    const inside = await newProject(own.id);
    const outside = await newProject();
    const user = await newUser(own.id);
    await grant(user.id, 'reader', `domains/${own.id}`);
    await grant(user.id, 'member', `projects/${inside.id}`);
    await grant(user.id, 'member', `projects/${outside.id}`);
    await grant(user.id, 'reader', 'system');
    const token = await tokenOf(user, { domain: { id: own.id } });
    const scopes = (await list('', token)).map((one: { scope: object }) => one.scope);
    expect(scopes).toHaveLength(2);
    expect(scopes).toEqual(expect.arrayContaining([{ domain: { id: own.id } }, { project: { id: inside.id } }]));
  });

  test.each([
    'scope.system=all&scope.project.id=x',
    'scope.domain.id=x&scope.project.id=x',
    'user.id=x&group.id=x',
    'effective&group.id=x',
  ])('refuses %s', async (query) => {
    expect((await keystone('GET', `/role_assignments?${query}`)).status).toBe(400);
  });
});
