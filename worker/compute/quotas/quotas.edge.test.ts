import { describe, expect, it } from 'vitest';
import { projects } from '../../../db/schema/identity.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';

type Limits = Record<string, number>;
const fault = async (response: Response) => {
  const [one] = Object.values((await response.json()) as Record<string, { message: string }>);
  return [response.status, one?.message];
};

/** A region, and a project that identity knows. */
async function open() {
  const cloud = await ComputeCloud.open();
  const { user, admin } = cloud;
  const nowMs = Date.now();
  const project = {
    id: user.projectId,
    domainId: 'default',
    name: user.projectId,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  await cloud.ctx.db.insert(projects).values(project);
  const path = `/os-quota-sets/${user.projectId}`;
  const show = async (version = '2.57', suffix = '', as = user) =>
    (await cloud.answer<{ quota_set: Limits }>('GET', `${path}${suffix}`, { version, as })).quota_set;
  const set = async (limits: object, suffix = '', version = '2.57') =>
    cloud.answer<{ quota_set: Limits }>('PUT', `${path}${suffix}`, {
      as: admin,
      version,
      body: { quota_set: limits },
    });
  const refused = async (limits: object, suffix = '', version = '2.57') =>
    fault(await cloud.call('PUT', `${path}${suffix}`, { as: admin, version, body: { quota_set: limits } }));
  return { cloud, user, admin, path, show, set, refused };
}

describe('quota sets', () => {
  it('tell what limits there are, to the project and to admins', async () => {
    const { cloud, user, admin, show } = await open();
    expect(await show()).toEqual({
      id: user.projectId,
      cores: -1,
      instances: -1,
      key_pairs: 100,
      metadata_items: 128,
      ram: -1,
      server_group_members: 10,
      server_groups: 10,
    });
    expect(await show('2.1', '/defaults', admin)).toMatchObject({ floating_ips: -1, injected_files: 5 });
    expect(await show('2.36')).not.toHaveProperty('floating_ips');
    const other = '/os-quota-sets/0123456789abcdef0123456789abcdef';
    expect((await cloud.call('GET', other, { as: user })).status).toBe(403);
    expect((await cloud.call('GET', `${other}/detail`, { as: user })).status).toBe(403);
    expect((await cloud.call('GET', `${other}/defaults`, { as: user })).status).toBe(200);
  });

  it('are set, shown with what is used, and taken away', async () => {
    const { cloud, user, admin, path, show, set } = await open();
    await cloud.addRunner();
    await cloud.create({}, user);
    expect((await set({ instances: '7', ram: 4096 })).quota_set).toMatchObject({ instances: 7, ram: 4096, cores: -1 });
    expect((await set({ cores: 9 })).quota_set).toMatchObject({ instances: 7, cores: 9 });
    expect(await show('2.57', '/detail')).toMatchObject({
      instances: { limit: 7, in_use: 1, reserved: 0 },
      ram: { limit: 4096, in_use: 512, reserved: 0 },
      key_pairs: { limit: 100, in_use: 0, reserved: 0 },
    });
    await cloud.answer('DELETE', path, { as: admin, status: 202 });
    expect(await show()).toMatchObject({ instances: -1, ram: -1 });
    expect((await cloud.call('DELETE', path, { as: user })).status).toBe(403);
    expect((await cloud.call('PUT', path, { as: user, body: { quota_set: { ram: 1 } } })).status).toBe(403);
  });

  it('are no less than what is used, and a user’s no more than the project’s', async () => {
    const { cloud, user, set, refused, show } = await open();
    await cloud.addRunner();
    await cloud.create({}, user);
    const ofUser = `?user_id=${user.userId}`;
    expect(await refused({ instances: 0 })).toEqual([
      400,
      'Quota limit 0 for instances must be greater than or equal to already used and reserved 1.',
    ]);
    expect((await set({ instances: 0, force: true })).quota_set.instances).toBe(0);
    await set({ instances: 3 });
    expect(await refused({ instances: 4 }, ofUser)).toEqual([
      400,
      'Quota limit 4 for instances must be less than or equal to 3.',
    ]);
    await set({ instances: 2 }, ofUser);
    expect(await show('2.57', ofUser)).toMatchObject({ instances: 2 });
    expect(await show()).toMatchObject({ instances: 3 });
  });

  it.each([
    [{ instances: -2 }, '2.1', 'less than the minimum of -1'],
    [{ volumes: 3 }, '2.1', "'volumes' was unexpected"],
    [{ floating_ips: 3 }, '2.36', "'floating_ips' was unexpected"],
    [{ injected_files: 3 }, '2.57', "'injected_files' was unexpected"],
  ])('refuse %j at %s', async (limits, version, why) => {
    const { refused } = await open();
    const [status, message] = await refused(limits, '', version);
    expect(status).toBe(400);
    expect(message).toContain(why);
  });

  it('are of projects that are there', async () => {
    const { cloud, admin } = await open();
    const response = await cloud.call('PUT', '/os-quota-sets/nobody', { as: admin, body: { quota_set: { ram: 1 } } });
    expect(await fault(response)).toEqual([400, 'Project ID nobody is not a valid project.']);
  });
});

describe('the class default', () => {
  it('holds for every project without limits of its own', async () => {
    const { cloud, admin, set, show } = await open();
    const path = '/os-quota-class-sets/default';
    const classOf = async (version: string) =>
      (await cloud.answer<{ quota_class_set: Limits }>('GET', path, { as: admin, version })).quota_class_set;
    expect(await classOf('2.57')).toMatchObject({ id: 'default', instances: -1, server_groups: 10 });
    expect(await classOf('2.49')).not.toHaveProperty('server_groups');
    const body = { quota_class_set: { instances: 5, cores: 6 } };
    expect(await cloud.answer('PUT', path, { as: admin, body })).toMatchObject({ quota_class_set: { instances: 5 } });
    expect(await show()).toMatchObject({ instances: 5, cores: 6 });
    await set({ cores: 2 });
    expect(await show()).toMatchObject({ instances: 5, cores: 2 });
    expect((await cloud.call('GET', path)).status).toBe(403);
    expect((await cloud.call('PUT', path, { body })).status).toBe(403);
  });
});

describe('a quota', () => {
  it('refuses servers beyond it, and says by what', async () => {
    const { cloud, user, set } = await open();
    await cloud.addRunner();
    await set({ instances: 2, cores: 1 });
    await cloud.create({}, user);
    expect(await cloud.refusal({}, { as: user })).toEqual([
      403,
      'Quota exceeded for cores: Requested 1, but already used 1 of 1 cores',
    ]);
    expect(await cloud.refusal({ min_count: 2, max_count: 2 }, { as: user })).toEqual([
      403,
      'Quota exceeded for cores, instances: Requested 2, 2, but already used 1, 1 of 1, 2 cores, instances',
    ]);
  });

  it('lets as many servers be made as there is room for, where that is enough', async () => {
    const { cloud, user, set } = await open();
    await cloud.addRunner();
    await set({ instances: 4 });
    await cloud.create({}, user);
    await cloud.create({ name: 'n', min_count: 2, max_count: 9 }, user);
    const { servers } = await cloud.answer<{ servers: { name: string }[] }>('GET', '/servers?name=n-', { as: user });
    expect(servers.map(({ name }) => name).toSorted()).toEqual(['n-1', 'n-2', 'n-3']);
    const [status] = await cloud.refusal({ min_count: 1, max_count: 2 }, { as: user });
    expect(status).toBe(403);
  });

  it('of a user holds beside the project’s', async () => {
    const { cloud, user, set } = await open();
    await cloud.addRunner();
    await set({ instances: 5 });
    await set({ instances: 1 }, `?user_id=${user.userId}`);
    await cloud.create({}, user);
    expect(await cloud.refusal({}, { as: user })).toEqual([
      403,
      'Quota exceeded for instances: Requested 1, but already used 1 of 1 instances',
    ]);
  });

  it('is never passed by racing creates, one at a time or several at once', async () => {
    const { cloud, user, set } = await open();
    for (let at = 0; at < 3; at += 1) await cloud.addRunner();
    await set({ instances: 7 });
    const body = { server: { name: 'r', imageRef: cloud.imageId, flavorRef: cloud.flavorId, networks: 'none' } };
    const many = { server: { ...body.server, min_count: 2, max_count: 2 } };
    const statuses = await Promise.all(
      Array.from({ length: 50 }, async (_, at) => {
        const response = await cloud.call('POST', '/servers', {
          as: user,
          version: '2.37',
          body: at % 5 === 0 ? many : body,
        });
        await response.body?.cancel();
        return response.status;
      }),
    );
    expect(new Set(statuses)).toEqual(new Set([202, 403]));
    const { servers } = await cloud.answer<{ servers: object[] }>('GET', '/servers', { as: user });
    expect(servers).toHaveLength(7);
  });

  it('limits key pairs, metadata and server groups too', async () => {
    const { cloud, user, set } = await open();
    await cloud.addRunner();
    await set({ key_pairs: 1, metadata_items: 1, server_groups: 1, server_group_members: 1 });
    const keypair = (name: string) => cloud.call('POST', '/os-keypairs', { as: user, body: { keypair: { name } } });
    expect((await keypair('one')).status).toBe(200);
    expect(await fault(await keypair('two'))).toEqual([403, 'Quota exceeded, too many key pairs.']);
    const tooMany = [403, 'Maximum number of metadata items exceeds 1'];
    expect(await cloud.refusal({ metadata: { a: '1', b: '2' } }, { as: user })).toEqual(tooMany);
    const id = await cloud.create({ metadata: { a: '1' } }, user);
    const more = await cloud.call('POST', `/servers/${id}/metadata`, { as: user, body: { metadata: { b: '2' } } });
    expect(await fault(more)).toEqual(tooMany);
    const body = { server_group: { name: 'g', policies: ['affinity'] } };
    const group = await cloud.answer<{ server_group: { id: string } }>('POST', '/os-server-groups', { as: user, body });
    expect(await fault(await cloud.call('POST', '/os-server-groups', { as: user, body }))).toEqual([
      403,
      'Quota exceeded, too many server groups.',
    ]);
    const hints = { group: group.server_group.id };
    const first = await cloud.call('POST', '/servers', {
      as: user,
      body: { server: { name: 'm', imageRef: cloud.imageId, flavorRef: cloud.flavorId }, 'os:scheduler_hints': hints },
    });
    expect(first.status).toBe(202);
    expect(await cloud.refusal({}, { as: user, hints })).toEqual([403, 'Quota exceeded, too many servers in group']);
  });
});

describe('limits', () => {
  it('tell what a project may have and uses', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    await cloud.create();
    await cloud.answer('DELETE', `/servers/${await cloud.createActive()}`, { status: 204 });
    const limits = async (version: string, query = '', as = cloud.user) =>
      (await cloud.answer<{ limits: { absolute: object } }>('GET', `/limits${query}`, { version, as })).limits.absolute;
    expect(await limits('2.1')).toMatchObject({
      totalInstancesUsed: 2,
      totalCoresUsed: 2,
      totalRAMUsed: 1024,
      maxImageMeta: 128,
      maxSecurityGroups: -1,
    });
    expect(await limits('2.57')).toEqual({
      maxServerMeta: 128,
      maxTotalInstances: -1,
      maxTotalCores: -1,
      maxTotalRAMSize: -1,
      maxTotalKeypairs: 100,
      maxServerGroups: 10,
      maxServerGroupMembers: 10,
      totalInstancesUsed: 2,
      totalCoresUsed: 2,
      totalRAMUsed: 1024,
      totalServerGroupsUsed: 0,
    });
    const other = `?tenant_id=${cloud.user.projectId}`;
    expect(await limits('2.1', other, cloud.admin)).toMatchObject({ totalInstancesUsed: 2 });
    expect((await cloud.call('GET', `/limits${other}`)).status).toBe(403);
  });
});
