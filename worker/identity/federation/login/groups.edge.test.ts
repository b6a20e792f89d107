import { and, eq } from 'drizzle-orm';
import { beforeAll, describe, expect, test } from 'vitest';
import { groupMembers } from '../../../../db/schema/identity.ts';
import { edgeContext } from '../../../../test/edge-context.ts';
import {
  exchange,
  freshName,
  keystone,
  must,
  newProject,
  newRole,
  roleId,
  validate,
} from '../../../../test/edge-identity.ts';
import { EdgeProvider, registered } from '../../../../test/edge-provider.ts';
import { GROUPS_MAX } from './save-user.ts';
import { federatedUserId } from './unique-id.ts';

const BY_NAME = [
  {
    local: [{ user: { name: '{0}' } }, { groups: '{1}', domain: { id: 'default' } }],
    remote: [{ type: 'OIDC-sub' }, { type: 'OIDC-groups' }],
  },
];
let provider: EdgeProvider;
beforeAll(async () => {
  provider = await new EdgeProvider().start();
});

const newGroup = async (name = freshName('g')) => {
  const { group } = (await must('POST', '/groups', { body: { group: { name, domain_id: 'default' } } })).body;
  return { id: group.id as string, name };
};
/** A group with the role member on a project. */
const newTeam = async () => {
  const [group, project] = [await newGroup(), await newProject()];
  await must('PUT', `/projects/${project.id}/groups/${group.id}/roles/${await roleId('member')}`);
  return { group, project, scope: { project: { id: project.id } } };
};
type Cloud = Awaited<ReturnType<typeof registered>>;
const logIn = async (cloud: Cloud, claims: { sub: string } & Record<string, unknown>) => {
  const answer = await cloud.logIn(await provider.token(claims));
  if (answer.status !== 201) throw new Error(`log-in: ${answer.status} ${JSON.stringify(answer.body)}`);
  return { text: answer.headers.get('x-subject-token') ?? '', ...answer.body.token };
};

describe('groups', () => {
  test('give their roles; those that are not here give nothing', async () => {
    const cloud = await registered(provider, { rules: BY_NAME });
    const { group, project, scope } = await newTeam();
    const sub = freshName('ann');
    const token = await logIn(cloud, { sub, groups: [group.name, 'unknown'] });
    expect(token.user['OS-FEDERATION'].groups).toEqual([{ id: group.id }]);
    const scoped = await exchange(token.text, scope);
    expect(scoped.status).toBe(201);
    expect(scoped.body.token.roles.map(({ name }: { name: string }) => name).sort()).toEqual(['member', 'reader']);
    expect(scoped.body.token.user).toEqual(token.user);
    for (const path of ['/auth/projects', '/OS-FEDERATION/projects']) {
      const { projects } = (await must('GET', path, { token: token.text })).body;
      expect(projects.map(({ id }: { id: string }) => id)).toEqual([project.id]);
    }
    const members = (await must('GET', `/groups/${group.id}/users`)).body.users;
    expect(members.map(({ id }: { id: string }) => id)).toEqual([federatedUserId(cloud.domainId, sub)]);
    const outsider = await logIn(cloud, { sub: freshName('bob'), groups: ['unknown'] });
    expect((await exchange(outsider.text, scope)).status).toBe(401);
  });

  test('on domains are listed by OS-FEDERATION, too', async () => {
    const cloud = await registered(provider, { rules: BY_NAME });
    const group = await newGroup();
    await must('PUT', `/domains/${cloud.domainId}/groups/${group.id}/roles/${await roleId('reader')}`);
    const { text } = await logIn(cloud, { sub: freshName('ann'), groups: [group.name] });
    for (const path of ['/auth/domains', '/OS-FEDERATION/domains']) {
      const { domains } = (await must('GET', path, { token: text })).body;
      expect(domains.map(({ id }: { id: string }) => id)).toEqual([cloud.domainId]);
    }
    expect((await exchange(text, { domain: { id: cloud.domainId } })).status).toBe(201);
    for (const path of ['/OS-FEDERATION/projects', '/OS-FEDERATION/domains'])
      expect((await keystone('GET', path, { token: null })).status).toBe(401);
  });

  test('that somebody is taken out of are left at the next log-in, and older tokens end', async () => {
    const cloud = await registered(provider, { rules: BY_NAME });
    const [one, two] = [await newTeam(), await newTeam()];
    const sub = freshName('ann');
    const both = await logIn(cloud, { sub, groups: [one.group.name, two.group.name] });
    const again = await logIn(cloud, { sub, groups: [one.group.name, two.group.name] });
    expect((await validate(both.text)).status).toBe(200);
    const less = await logIn(cloud, { sub, groups: [two.group.name] });
    for (const { text } of [both, again]) expect((await validate(text)).status).toBe(404);
    expect((await exchange(less.text, one.scope)).status).toBe(401);
    expect((await exchange(less.text, two.scope)).status).toBe(201);
    const more = await logIn(cloud, { sub, groups: [one.group.name, two.group.name] });
    expect((await validate(less.text)).status).toBe(200);
    expect((await exchange(more.text, one.scope)).status).toBe(201);
  });

  test('count until the token ends, or as long as the operator says', async () => {
    for (const [authorization_ttl, minutes] of [
      [null, 60],
      [5, 60],
      [120, 120],
    ] as const) {
      const cloud = await registered(provider, { rules: BY_NAME, idp: { authorization_ttl } });
      const { group, scope } = await newTeam();
      const sub = freshName('ann');
      const before = Date.now();
      const { text } = await logIn(cloud, { sub, groups: [group.name] });
      const { db } = edgeContext();
      const is = and(eq(groupMembers.groupId, group.id), eq(groupMembers.userId, federatedUserId(cloud.domainId, sub)));
      const [member] = await db.select().from(groupMembers).where(is);
      const lifeMs = (member?.expiresAtMs ?? 0) - before;
      expect(lifeMs).toBeGreaterThanOrEqual(minutes * 60_000);
      expect(lifeMs).toBeLessThan(minutes * 60_000 + 60_000);
      await db
        .update(groupMembers)
        .set({ expiresAtMs: before - 1 })
        .where(is);
      expect((await exchange(text, scope)).status).toBe(401);
      expect((await must('GET', `/groups/${group.id}/users`)).body.users).toEqual([]);
      expect((await must('GET', `/users/${member?.userId}/groups`)).body.groups).toEqual([]);
      expect((await keystone('HEAD', `/groups/${group.id}/users/${member?.userId}`)).status).toBe(404);
      const query = `effective&user.id=${member?.userId}`;
      expect((await must('GET', `/role_assignments?${query}`)).body.role_assignments).toEqual([]);
      await logIn(cloud, { sub, groups: [group.name] });
      expect((await exchange(text, scope)).status).toBe(201);
    }
  });

  test('that an administrator put somebody in last', async () => {
    const cloud = await registered(provider, { rules: BY_NAME });
    const { group, scope } = await newTeam();
    const sub = freshName('ann');
    await logIn(cloud, { sub, groups: [group.name] });
    await must('PUT', `/groups/${group.id}/users/${federatedUserId(cloud.domainId, sub)}`);
    await logIn(cloud, { sub, groups: [group.name] });
    const { text } = await logIn(cloud, { sub, groups: ['unknown'] });
    expect((await exchange(text, scope)).status).toBe(201);
  });

  test('by id must be there, and may not be too many', async () => {
    const byId = await registered(provider, {
      rules: [
        {
          local: [{ user: { name: '{0}' } }, { group_ids: '{1}' }],
          remote: [{ type: 'OIDC-sub' }, { type: 'OIDC-groups' }],
        },
      ],
    });
    const group = await newGroup();
    const token = await logIn(byId, { sub: freshName('ann'), groups: [group.id] });
    expect(token.user['OS-FEDERATION'].groups).toEqual([{ id: group.id }]);
    const unknown = await byId.logIn(await provider.token({ sub: freshName('ann'), groups: [group.id, 'unknown'] }));
    expect(unknown.status).toBe(401);
    const cloud = await registered(provider, { rules: BY_NAME });
    const many: string[] = [];
    for (let at = 0; at <= GROUPS_MAX; at += 1) many.push((await newGroup()).name);
    const sub = freshName('ann');
    const most = await logIn(cloud, { sub, groups: many.slice(1) });
    expect(most.user['OS-FEDERATION'].groups).toHaveLength(GROUPS_MAX);
    expect((await validate(most.text)).status).toBe(200);
    expect((await cloud.logIn(await provider.token({ sub, groups: many }))).status).toBe(401);
  });
});

const PROJECTS = (version: string, projects: object[] = [{ name: 'p-{0}', roles: [{ name: 'member' }] }]) => ({
  schema_version: version,
  rules: [{ local: [{ user: { name: '{0}' }, projects }], remote: [{ type: 'OIDC-sub' }] }],
});

describe('projects', () => {
  const projectsOf = async (token: string) =>
    (await must('GET', '/auth/projects', { token })).body.projects as { id: string; name: string; domain_id: string }[];

  test('are made where they are missing, with their roles, once', async () => {
    const cloud = await registered(provider, PROJECTS('1.0'));
    const sub = freshName('ann');
    const first = await logIn(cloud, { sub });
    const [project] = await projectsOf(first.text);
    expect(project).toMatchObject({ name: `p-${sub}`, domain_id: cloud.domainId });
    const second = await logIn(cloud, { sub });
    expect(await projectsOf(second.text)).toEqual([project]);
    expect((await validate(first.text)).status).toBe(200);
    const scoped = await exchange(second.text, { project: { id: project?.id } });
    expect(scoped.body.token.roles.map(({ name }: { name: string }) => name)).toContain('member');
  });

  test('of another domain, and those that are there, since 2.0', async () => {
    const there = await newProject();
    const role = (name: string) => [{ name }];
    const cloud = await registered(
      provider,
      PROJECTS('2.0', [
        { name: there.name, roles: role('reader'), domain: { name: 'Default' } },
        { name: 'own-{0}', roles: role('member'), domain: { id: 'default' } },
      ]),
    );
    const sub = freshName('ann');
    const names = (await projectsOf((await logIn(cloud, { sub })).text)).map(({ name, domain_id }) => [
      name,
      domain_id,
    ]);
    expect(names.sort()).toEqual(
      [
        [there.name, 'default'],
        [`own-${sub}`, 'default'],
      ].sort(),
    );
    const nowhere = await registered(
      provider,
      PROJECTS('2.0', [{ name: 'x', roles: [], domain: { name: 'Nowhere' } }]),
    );
    const answer = await nowhere.logIn(await provider.token({ sub }));
    expect([answer.status, answer.body.error.message]).toEqual([404, 'Could not find domain: Nowhere.']);
  });

  test('need roles that are there, and of the right domain; nothing is made otherwise', async () => {
    const sub = freshName('ann');
    const unknown = await registered(provider, PROJECTS('1.0', [{ name: 'p', roles: [{ name: 'unknown-role' }] }]));
    const missing = await unknown.logIn(await provider.token({ sub }));
    expect([missing.status, missing.body.error.message]).toEqual([404, 'Could not find role: unknown-role.']);
    expect((await keystone('GET', `/users/${federatedUserId(unknown.domainId, sub)}`)).status).toBe(404);
    const foreign = await newRole({ domain_id: 'default' });
    const cloud = await registered(provider, PROJECTS('1.0', [{ name: 'p', roles: [{ name: foreign.name }] }]));
    const refused = await cloud.logIn(await provider.token({ sub }));
    expect([refused.status, refused.body.error.message]).toEqual([
      403,
      `role: ${foreign.name} must be within the same domain as the identity provider: ${cloud.id}.`,
    ]);
    const inside = await registered(provider, {
      ...PROJECTS('1.0', [{ name: 'p', roles: [{ name: foreign.name }] }]),
      idp: { domain_id: 'default' },
    });
    expect((await inside.logIn(await provider.token({ sub }))).status).toBe(201);
    const long = await registered(provider, PROJECTS('1.0', [{ name: 'x'.repeat(65), roles: [] }]));
    expect((await long.logIn(await provider.token({ sub }))).status).toBe(401);
  });

  test('that the provider no longer names are lost since 3.0, and not before', async () => {
    const rules = [
      {
        local: [{ user: { name: '{0}' }, projects_json: '{1}' }],
        remote: [{ type: 'OIDC-sub' }, { type: 'OIDC-projects' }],
      },
    ];
    const cloud = await registered(provider, { rules, schema_version: '3.0' });
    const sub = freshName('ann');
    const said = (...given: [string, string][]) => ({
      sub,
      projects: given.map(([name, role]) => ({ name, roles: [{ name: role }] })),
    });
    const first = await logIn(cloud, said(['a', 'member'], ['b', 'member']));
    const [a] = await projectsOf(first.text);
    const scoped = await exchange(first.text, { project: { id: a?.id } });
    const onProject = scoped.headers.get('x-subject-token') ?? '';
    expect((await validate(onProject)).status).toBe(200);
    const second = await logIn(cloud, said(['b', 'reader']));
    expect((await projectsOf(second.text)).map(({ name }) => name)).toEqual(['b']);
    expect((await validate(onProject)).status).toBe(404);
    expect((await validate(first.text)).status).toBe(200);
    const on = await exchange(second.text, { project: { name: 'b', domain: { id: cloud.domainId } } });
    expect(on.body.token.roles.map(({ name }: { name: string }) => name)).toEqual(['reader']);

    const older = await registered(provider, PROJECTS('2.0'));
    const text = (await logIn(older, { sub })).text;
    const body = { mapping: PROJECTS('2.0', [{ name: 'other', roles: [{ name: 'reader' }] }]) };
    await must('PATCH', `/OS-FEDERATION/mappings/${older.mapping}`, { body });
    expect((await projectsOf((await logIn(older, { sub })).text)).map(({ name }) => name).sort()).toEqual(
      ['other', `p-${sub}`].sort(),
    );
    expect((await validate(text)).status).toBe(200);
  });
});

test('log-ins of one person at once make one user, one project, and all get in', async () => {
  const cloud = await registered(provider, PROJECTS('1.0'));
  const sub = freshName('ann');
  const tokens = await Promise.all(Array.from({ length: 8 }, () => provider.token({ sub })));
  const answers = await Promise.all(tokens.map((token) => cloud.logIn(token)));
  expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(201));
  const { projects } = (await must('GET', `/projects?domain_id=${cloud.domainId}`)).body;
  expect(projects.map(({ name }: { name: string }) => name)).toEqual([`p-${sub}`]);
});
