import { describe, expect, it } from 'vitest';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { mintActor } from '../../../test/edge-tokens.ts';

interface Flavor {
  id: string;
  name: string;
  [member: string]: unknown;
}
const fault = async (response: Response) => {
  const [one] = Object.values((await response.json()) as Record<string, { message: string }>);
  return [response.status, one?.message];
};
const make = async (cloud: ComputeCloud, flavor: Record<string, unknown>, version = '2.1') =>
  (await cloud.answer<{ flavor: Flavor }>('POST', '/flavors', { body: { flavor }, as: cloud.admin, version })).flavor;
const SIZE = { ram: 512, vcpus: 1, disk: 10 };

describe('a flavor', () => {
  it('is made by an admin, seen by all, and removed', async () => {
    const cloud = await ComputeCloud.open();
    const flavor = await make(cloud, {
      name: 'm1.tiny',
      id: '1',
      ...SIZE,
      swap: '64',
      'OS-FLV-EXT-DATA:ephemeral': 2,
      rxtx_factor: 1.5,
    });
    const links = [
      { rel: 'self', href: `http://edge.test/r/${cloud.region}/compute/v2.1/flavors/1` },
      { rel: 'bookmark', href: `http://edge.test/r/${cloud.region}/compute/flavors/1` },
    ];
    expect(flavor).toEqual({
      id: '1',
      name: 'm1.tiny',
      ...SIZE,
      swap: 64,
      'OS-FLV-EXT-DATA:ephemeral': 2,
      'OS-FLV-DISABLED:disabled': false,
      'os-flavor-access:is_public': true,
      rxtx_factor: 1.5,
      links,
    });
    expect(await cloud.answer('GET', '/flavors/1')).toEqual({ flavor });
    expect(await cloud.answer('GET', '/flavors')).toMatchObject({
      flavors: expect.arrayContaining([{ id: '1', name: 'm1.tiny', links }]),
    });
    expect((await cloud.call('DELETE', '/flavors/1', { as: cloud.admin })).status).toBe(202);
    expect(await fault(await cloud.call('GET', '/flavors/1'))).toEqual([404, 'Flavor 1 could not be found.']);
    expect((await cloud.call('DELETE', '/flavors/1', { as: cloud.admin })).status).toBe(404);
  });

  it('says more in newer versions', async () => {
    const cloud = await ComputeCloud.open();
    const { id } = await make(cloud, { name: 'f', ...SIZE, description: 'd' }, '2.55');
    const show = async (version: string) =>
      (await cloud.answer<{ flavor: Flavor }>('GET', `/flavors/${id}`, { version })).flavor;
    expect(await show('2.54')).not.toHaveProperty('description');
    expect(await show('2.55')).toMatchObject({ description: 'd', swap: '' });
    expect(await show('2.60')).not.toHaveProperty('extra_specs');
    expect(await show('2.61')).toMatchObject({ extra_specs: {} });
    expect(await show('2.75')).toMatchObject({ swap: 0 });
    const body = { flavor: { description: null } };
    expect((await cloud.call('PUT', `/flavors/${id}`, { body, as: cloud.admin, version: '2.54' })).status).toBe(404);
    const updated = await cloud.answer('PUT', `/flavors/${id}`, { body, as: cloud.admin, version: '2.55' });
    expect(updated).toMatchObject({ flavor: { description: null } });
    expect((await cloud.call('PUT', '/flavors/none', { body, as: cloud.admin, version: '2.55' })).status).toBe(404);
  });

  it('is refused twice under one name or id, and of sizes that are none', async () => {
    const cloud = await ComputeCloud.open();
    await make(cloud, { name: 'f', id: 'x', ...SIZE });
    const post = async (flavor: Record<string, unknown>, as = cloud.admin) =>
      fault(await cloud.call('POST', '/flavors', { body: { flavor }, as }));
    expect(await post({ name: 'f', ...SIZE })).toEqual([409, 'Flavor with name f already exists.']);
    expect(await post({ name: 'g', id: 'x', ...SIZE })).toEqual([409, 'Flavor with ID x already exists.']);
    expect((await post({ name: 'g', ...SIZE, vcpus: 0 }))[0]).toBe(400);
    expect((await post({ name: 'g', ...SIZE, ram: 2 ** 31 }))[0]).toBe(400);
    expect((await post({ name: 'g', ...SIZE, disk: -1 }))[0]).toBe(400);
    expect((await post({ name: 'g', id: ' x', ...SIZE }))[0]).toBe(400);
    expect((await post({ name: 'g', ...SIZE, description: 'd' }))[0]).toBe(400);
    expect(await post({ name: 'g', ...SIZE }, cloud.user)).toEqual([
      403,
      "Policy doesn't allow os_compute_api:os-flavor-manage:create to be performed.",
    ]);
  });
});

describe('a list of flavors', () => {
  it('may be filtered, sorted and paged', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.call('DELETE', `/flavors/${cloud.flavorId}`, { as: cloud.admin });
    await make(cloud, { name: 'b', id: '1', ram: 512, vcpus: 1, disk: 1 });
    await make(cloud, { name: 'a', id: '2', ram: 1024, vcpus: 1, disk: 0 });
    await make(cloud, { name: 'c', id: '3', ram: 2048, vcpus: 2, disk: 20, 'os-flavor-access:is_public': false });
    const ids = async (query: string, as = cloud.user) =>
      (await cloud.answer<{ flavors: Flavor[] }>('GET', `/flavors/detail${query}`, { as })).flavors
        .map(({ id }) => id)
        .join('');
    const cases: [string, string, string][] = [
      ['', '12', '12'],
      ['?minRam=1000', '2', '2'],
      ['?minDisk=1', '1', '1'],
      ['?sort_key=name', '21', '21'],
      ['?sort_key=memory_mb&sort_dir=desc', '21', '21'],
      ['?sort_key=vcpu_weight', '12', '12'],
      ['?limit=1', '1', '1'],
      ['?marker=1', '2', '2'],
      ['?is_public=None', '12', '123'],
      ['?is_public=false', '12', '3'],
      ['?is_public=none&sort_dir=desc&marker=3', '', '21'],
    ];
    for (const [query, forUser, forAdmin] of cases) {
      if (forUser !== '') expect([query, await ids(query)]).toEqual([query, forUser]);
      expect([query, await ids(query, cloud.admin)]).toEqual([query, forAdmin]);
    }
    for (const query of ['?minRam=x', '?limit=-1', '?marker=none', '?sort_key=x', '?sort_dir=x']) {
      expect([query, (await cloud.call('GET', `/flavors${query}`)).status]).toEqual([query, 400]);
    }
    expect((await cloud.call('GET', '/flavors?is_public=x', { as: cloud.admin })).status).toBe(400);
    const { flavors_links: links } = await cloud.answer<{ flavors_links: { href: string }[] }>(
      'GET',
      '/flavors?limit=1',
    );
    expect(links[0]?.href).toBe(`http://edge.test/r/${cloud.region}/compute/v2.1/flavors?limit=1&marker=1`);
  });
});

describe('extra specs', () => {
  it('are checked for a meaning from 2.86', async () => {
    const cloud = await ComputeCloud.open();
    const path = `/flavors/${cloud.flavorId}/os-extra_specs`;
    const post = (version: string) =>
      cloud.call('POST', path, { as: cloud.admin, version, body: { extra_specs: { 'hw:cpu_policy': 'odd' } } });
    expect((await post('2.85')).status).toBe(200);
    expect((await post('2.86')).status).toBe(400);
    const put = await cloud.call('PUT', `${path}/hw:odd`, {
      as: cloud.admin,
      version: '2.86',
      body: { 'hw:odd': '1' },
    });
    expect(put.status).toBe(400);
  });

  it('are put, read and taken away', async () => {
    const cloud = await ComputeCloud.open();
    const path = `/flavors/${cloud.flavorId}/os-extra_specs`;
    const as = cloud.admin;
    const body = { extra_specs: { 'hw:cpu_policy': 'shared', n: 5 } };
    expect(await cloud.answer('POST', path, { body, as })).toEqual(body);
    expect(await cloud.answer('GET', path)).toEqual({ extra_specs: { 'hw:cpu_policy': 'shared', n: '5' } });
    expect(await cloud.answer('PUT', `${path}/n`, { body: { n: '6' }, as })).toEqual({ n: '6' });
    expect(await cloud.answer('GET', `${path}/n`)).toEqual({ n: '6' });
    expect((await cloud.call('DELETE', `${path}/n`, { as })).status).toBe(200);
    expect(await fault(await cloud.call('DELETE', `${path}/n`, { as }))).toEqual([
      404,
      `Flavor ${cloud.flavorId} has no extra specs with key n.`,
    ]);
    expect(await fault(await cloud.call('GET', `${path}/n`))).toEqual([
      404,
      `Flavor ${cloud.flavorId} has no extra specs with key n.`,
    ]);
    expect(await cloud.answer('GET', path)).toEqual({ extra_specs: { 'hw:cpu_policy': 'shared' } });
    expect(await fault(await cloud.call('PUT', `${path}/n`, { body: { m: '6' }, as }))).toEqual([
      400,
      'Request body and URI mismatch',
    ]);
    expect((await cloud.call('PUT', `${path}/n`, { body: { n: '6', m: '1' }, as })).status).toBe(400);
    expect((await cloud.call('POST', path, { body, as: cloud.user })).status).toBe(403);
    expect((await cloud.call('POST', '/flavors/none/os-extra_specs', { body, as })).status).toBe(404);
  });
});

describe('access to a private flavor', () => {
  it('is given to projects and taken from them', async () => {
    const cloud = await ComputeCloud.open();
    const { id } = await make(cloud, { name: 'private', ...SIZE, 'os-flavor-access:is_public': false });
    const tenant = cloud.user.projectId;
    const act = (body: unknown) => cloud.call('POST', `/flavors/${id}/action`, { body, as: cloud.admin });
    const given = { flavor_access: [{ flavor_id: id, tenant_id: tenant }] };
    expect((await cloud.call('GET', `/flavors/${id}`)).status).toBe(404);
    expect(await (await act({ addTenantAccess: { tenant } })).json()).toEqual(given);
    expect((await cloud.call('GET', `/flavors/${id}`)).status).toBe(200);
    expect((await cloud.call('GET', `/flavors/${id}`, { as: await mintActor('member') })).status).toBe(404);
    expect(await cloud.answer('GET', `/flavors/${id}/os-flavor-access`, { as: cloud.admin })).toEqual(given);
    expect(await fault(await act({ addTenantAccess: { tenant } }))).toEqual([
      409,
      `Flavor access already exists for flavor ${id} and project ${tenant} combination.`,
    ]);
    expect(await (await act({ removeTenantAccess: { tenant } })).json()).toEqual({ flavor_access: [] });
    expect(await fault(await act({ removeTenantAccess: { tenant } }))).toEqual([
      404,
      `Flavor access not found for ${id} / ${tenant} combination.`,
    ]);
    const open = await cloud.call('POST', `/flavors/${cloud.flavorId}/action`, {
      body: { addTenantAccess: { tenant } },
      as: cloud.admin,
      version: '2.7',
    });
    expect(await fault(open)).toEqual([409, 'Can not add access to a public flavor.']);
    expect((await cloud.call('GET', `/flavors/${cloud.flavorId}/os-flavor-access`, { as: cloud.admin })).status).toBe(
      404,
    );
    await act({ addTenantAccess: { tenant } });
    expect((await cloud.call('DELETE', `/flavors/${id}`, { as: cloud.admin })).status).toBe(202);
  });
});
