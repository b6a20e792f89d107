import { describe, expect, it } from 'vitest';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { mintActor } from '../../../test/edge-tokens.ts';

interface Group {
  id: string;
  members: string[];
  [member: string]: unknown;
}

async function open() {
  const cloud = await ComputeCloud.open();
  const make = async (group: object, version = '2.64') =>
    (
      await cloud.answer<{ server_group: Group }>('POST', '/os-server-groups', {
        version,
        body: { server_group: group },
      })
    ).server_group;
  const status = async (group: object, version: string) =>
    (await cloud.call('POST', '/os-server-groups', { version, body: { server_group: group } })).status;
  const create = (groupId: string, more: object = {}) =>
    cloud.answer<{ server: { id: string } }>('POST', '/servers', {
      version: '2.37',
      status: 202,
      body: {
        server: { name: 's', imageRef: cloud.imageId, flavorRef: cloud.flavorId, networks: 'none', ...more },
        'os:scheduler_hints': { group: groupId },
      },
    });
  const show = async (id: string) =>
    (await cloud.answer<{ server_group: Group }>('GET', `/os-server-groups/${id}`, { version: '2.64' })).server_group;
  return { cloud, make, status, create, show };
}

describe('a server group', () => {
  it('is made, shown, listed and forgotten, each version in its own words', async () => {
    const { cloud, make } = await open();
    const old = await make({ name: 'old', policies: ['affinity'] }, '2.1');
    expect(old).toEqual({ id: old.id, name: 'old', policies: ['affinity'], metadata: {}, members: [] });
    const group = await make({ name: 'new', policy: 'anti-affinity', rules: { max_server_per_host: 3 } });
    expect(group).toEqual({
      id: group.id,
      name: 'new',
      policy: 'anti-affinity',
      rules: { max_server_per_host: 3 },
      members: [],
      project_id: cloud.user.projectId,
      user_id: cloud.user.userId,
    });
    const path = `/os-server-groups/${group.id}`;
    expect(await cloud.answer('GET', path, { version: '2.64' })).toEqual({ server_group: group });
    expect(await cloud.answer('GET', path, { version: '2.13' })).toMatchObject({
      server_group: { policies: ['anti-affinity'], metadata: {}, project_id: cloud.user.projectId },
    });
    const listed = await cloud.answer<{ server_groups: Group[] }>('GET', '/os-server-groups?limit=1&offset=1');
    expect(listed.server_groups.map(({ id }) => id)).toEqual([group.id]);
    await cloud.answer('DELETE', path, { status: 204 });
    expect((await cloud.call('GET', path)).status).toBe(404);
    expect((await cloud.call('DELETE', path)).status).toBe(404);
  });

  it('is its project’s own; an admin sees those of all', async () => {
    const { cloud, make } = await open();
    const { id } = await make({ name: 'mine', policy: 'affinity' });
    const as = await mintActor('manager');
    expect((await cloud.call('GET', `/os-server-groups/${id}`, { as })).status).toBe(404);
    expect((await cloud.call('DELETE', `/os-server-groups/${id}`, { as })).status).toBe(404);
    const ids = async (query: string, who = as) =>
      (
        await cloud.answer<{ server_groups: Group[] }>('GET', `/os-server-groups${query}`, { as: who })
      ).server_groups.map((group) => group.id);
    expect(await ids('?all_projects=1')).toEqual([]);
    expect(await ids('?all_projects', cloud.admin)).toEqual([id]);
    expect(await ids('', cloud.admin)).toEqual([]);
    const reader = await mintActor('reader', cloud.user.projectId);
    expect(await ids('', reader)).toEqual([id]);
    expect((await cloud.call('DELETE', `/os-server-groups/${id}`, { as: reader })).status).toBe(403);
  });

  it.each([
    [{ name: 'g', policies: ['soft-affinity'] }, '2.14'],
    [{ name: 'g', policies: ['affinity', 'anti-affinity'] }, '2.15'],
    [{ name: 'g', policies: ['affinity'] }, '2.64'],
    [{ name: 'g', policy: 'affinity' }, '2.63'],
    [{ name: 'g', policy: 'affinity', rules: { max_server_per_host: 2 } }, '2.64'],
    [{ name: 'g', policy: 'anti-affinity', rules: { max_server_per_host: 0 } }, '2.64'],
    [{ name: ' g', policy: 'affinity' }, '2.64'],
    [{ policy: 'affinity' }, '2.64'],
  ])('is refused as %j at %s', async (group, version) => {
    const { status } = await open();
    expect(await status(group, version)).toBe(400);
  });
});

describe('servers of a group', () => {
  it('are its members until they are gone, and say so', async () => {
    const { cloud, make, create, show } = await open();
    await cloud.addRunner();
    const { id } = await make({ name: 'g', policy: 'affinity' });
    const { server } = await create(id);
    expect((await show(id)).members).toEqual([server.id]);
    expect(await cloud.show(server.id, cloud.user, '2.71')).toMatchObject({ server_groups: [id] });
    expect(await cloud.show(server.id, cloud.user, '2.70')).not.toHaveProperty('server_groups');
    await cloud.answer('DELETE', `/servers/${server.id}`, { status: 204 });
    await cloud.observe(server.id, { state: 'absent' });
    expect((await show(id)).members).toEqual([]);
  });

  it('come together or keep apart, as its policy says', async () => {
    const { cloud, make, create } = await open();
    for (let at = 0; at < 3; at += 1) await cloud.addRunner();
    const together = await make({ name: 'together', policy: 'affinity' });
    const apart = await make({ name: 'apart', policy: 'anti-affinity' });
    const hostsOf = async (groupId: string) => {
      const ids: string[] = [];
      for (let at = 0; at < 3; at += 1) ids.push((await create(groupId)).server.id);
      return Promise.all(ids.map(async (id) => (await cloud.row(id)).runnerId));
    };
    expect(new Set(await hostsOf(together.id)).size).toBe(1);
    expect(new Set(await hostsOf(apart.id)).size).toBe(3);
    const { server } = await create(apart.id);
    expect(await cloud.show(server.id)).toMatchObject({
      status: 'ERROR',
      fault: { message: expect.stringContaining('3 against the policy anti-affinity of the server group') },
    });
  });

  it('keep apart however many are made at once', async () => {
    const { cloud, make, create } = await open();
    for (let at = 0; at < 4; at += 1) await cloud.addRunner();
    const { id } = await make({ name: 'apart', policy: 'anti-affinity', rules: { max_server_per_host: 2 } });
    const made = await Promise.all(Array.from({ length: 8 }, () => create(id)));
    const rows = await Promise.all(made.map(({ server }) => cloud.row(server.id)));
    const perHost = Map.groupBy(rows, (row) => row.runnerId);
    expect([...perHost.values()].map((held) => held.length)).toEqual([2, 2, 2, 2]);
  });

  it('keep apart from where one of them is moving to', async () => {
    const { cloud, make, create } = await open();
    const [first] = [await cloud.addRunner(), await cloud.addRunner()];
    const { id } = await make({ name: 'apart', policy: 'anti-affinity' });
    const { server } = await create(id);
    await cloud.observe(server.id, { state: 'running' });
    await cloud.act(server.id, { migrate: null }, cloud.admin);
    expect((await cloud.row(server.id)).taskState).toBe('resize_prep');
    const other = (await create(id)).server;
    expect([(await cloud.show(other.id)).status, (await cloud.row(other.id)).runnerId]).toEqual(['ERROR', null]);
    await cloud.addRunner();
    const third = await cloud.row((await create(id)).server.id);
    expect(third.runnerId).not.toBe(first);
    expect(third.vmState).toBe('building');
  });

  it('come together however many are made at once', async () => {
    const { cloud, make, create } = await open();
    for (let at = 0; at < 4; at += 1) await cloud.addRunner();
    const { id } = await make({ name: 'together', policy: 'affinity' });
    await Promise.all(Array.from({ length: 6 }, () => create(id)));
    await create(id, { min_count: 2 });
    const { members } = await cloud
      .answer<{ server_group: Group }>('GET', `/os-server-groups/${id}`)
      .then(({ server_group }) => server_group);
    const rows = await Promise.all(members.map((member) => cloud.row(member)));
    expect(rows).toHaveLength(8);
    expect(new Set(rows.map((row) => row.runnerId)).size).toBe(1);
  });

  it('need a group that is there', async () => {
    const { cloud, make } = await open();
    const { id } = await make({ name: 'mine', policy: 'affinity' });
    const of = { as: await mintActor('member'), hints: { group: id } };
    expect(await cloud.refusal({}, of)).toEqual([400, `Instance group ${id} could not be found.`]);
  });
});
