import { describe, expect, it } from 'vitest';
import { ComputeCloud } from '../../../test/compute-cloud.ts';

interface Aggregate {
  id: number;
  hosts: string[];
  metadata: Record<string, string>;
  [member: string]: unknown;
}

async function open() {
  const cloud = await ComputeCloud.open();
  const as = cloud.admin;
  const make = async (name: string, zone?: string) =>
    (
      await cloud.answer<{ aggregate: Aggregate }>('POST', '/os-aggregates', {
        as,
        body: { aggregate: { name, ...(zone ? { availability_zone: zone } : {}) } },
      })
    ).aggregate;
  const act = (id: number, body: object) => cloud.call('POST', `/os-aggregates/${id}/action`, { as, body });
  const done = async (id: number, body: object) => {
    const response = await act(id, body);
    expect(response.status).toBe(200);
    return ((await response.json()) as { aggregate: Aggregate }).aggregate;
  };
  const refusal = async (response: Response | Promise<Response>) => {
    const [one] = Object.values((await (await response).json()) as Record<string, { code: number; message: string }>);
    return [one?.code, one?.message];
  };
  return { cloud, as, make, act, done, refusal };
}

describe('an aggregate', () => {
  it('is made, changed, listed and forgotten', async () => {
    const { cloud, as, make, done } = await open();
    const made = await make('fast', 'north');
    expect(made).toEqual({
      id: made.id,
      name: 'fast',
      availability_zone: 'north',
      created_at: expect.any(String),
      updated_at: null,
      deleted: false,
      deleted_at: null,
    });
    const path = `/os-aggregates/${made.id}`;
    const changed = await cloud.answer('PUT', path, { as, version: '2.41', body: { aggregate: { name: 'faster' } } });
    expect(changed).toMatchObject({
      aggregate: { name: 'faster', hosts: [], metadata: { availability_zone: 'north' }, uuid: expect.any(String) },
    });
    expect(
      (await done(made.id, { set_metadata: { metadata: { ssd: 'true', availability_zone: null } } })).metadata,
    ).toEqual({
      ssd: 'true',
    });
    expect(await cloud.answer('GET', path, { as })).toMatchObject({
      aggregate: { availability_zone: null, updated_at: expect.any(String) },
    });
    expect(await cloud.answer('GET', '/os-aggregates', { as })).toMatchObject({ aggregates: [{ name: 'faster' }] });
    await cloud.answer('DELETE', path, { as });
    expect((await cloud.call('GET', path, { as })).status).toBe(404);
  });

  it('holds machines, which are then in its zone and servers with them', async () => {
    const { cloud, make, act, done, refusal } = await open();
    await cloud.addRunner({ name: 'alpha' });
    const beta = await cloud.addRunner({ name: 'beta', zone: 'home' });
    const { id } = await make('north', 'north');
    const held = await cloud.create({ availability_zone: 'home' });
    expect((await done(id, { add_host: { host: 'beta' } })).hosts).toEqual(['beta']);
    expect((await cloud.runner(beta)).zone).toBe('north');
    expect((await cloud.row(held)).zone).toBe('north');
    expect((await cloud.row(await cloud.create({ availability_zone: 'north' }))).runnerId).toBe(beta);
    expect(await refusal(act(id, { add_host: { host: 'beta' } }))).toEqual([
      409,
      `Aggregate ${id} already has host beta.`,
    ]);
    expect(await refusal(act(id, { add_host: { host: 'none' } }))).toEqual([
      404,
      'Compute host none could not be found.',
    ]);
    expect(await refusal(act(id, { remove_host: { host: 'alpha' } }))).toEqual([
      404,
      `Aggregate ${id} has no host alpha.`,
    ]);
    const south = await make('south', 'south');
    expect(await refusal(act(south.id, { add_host: { host: 'beta' } }))).toEqual([
      409,
      `Cannot add host to aggregate ${south.id}. Reason: One or more hosts already in different availability zones.`,
    ]);
    expect(await refusal(act(id, { set_metadata: { metadata: { availability_zone: 'west' } } }))).toEqual([
      400,
      `Cannot update aggregate ${id}. Reason: One or more hosts contain instances in this zone.`,
    ]);
    expect((await cloud.call('DELETE', `/os-aggregates/${id}`, { as: cloud.admin })).status).toBe(400);
    expect((await done(id, { remove_host: { host: 'beta' } })).hosts).toEqual([]);
    expect((await cloud.runner(beta)).zone).toBe('home');
  });

  it('says in what ratio its machines are shared out', async () => {
    const { cloud, make, done } = await open();
    const runner = await cloud.addRunner({ name: 'alpha', vcpus: 10, memoryMib: 5_120, diskGib: 10 });
    const { id } = await make('shared');
    await done(id, { set_metadata: { metadata: { cpu_allocation_ratio: '1.5', ram_allocation_ratio: 'much' } } });
    await done(id, { add_host: { host: 'alpha' } });
    expect(await cloud.runner(runner)).toMatchObject({
      vcpusAllocatable: 15,
      memoryMibAllocatable: 5_120 - 512,
      diskGibAllocatable: 10,
    });
    await done(id, { set_metadata: { metadata: { cpu_allocation_ratio: null, disk_allocation_ratio: '2.0' } } });
    expect(await cloud.runner(runner)).toMatchObject({ vcpusAllocatable: 40, diskGibAllocatable: 20 });
    await done(id, { remove_host: { host: 'alpha' } });
    expect(await cloud.runner(runner)).toMatchObject({ vcpusAllocatable: 40, diskGibAllocatable: 10 });
  });

  it.each([
    ['POST', '', { aggregate: { name: '' } }, 400],
    ['POST', '', { aggregate: { name: 'a'.repeat(256) } }, 400],
    ['POST', '', { aggregate: { name: 'a', availability_zone: 'b:c' } }, 400],
    ['PUT', '/1', { aggregate: {} }, 400],
    ['GET', '/none', undefined, 400],
    ['GET', '/999999999', undefined, 404],
    ['PUT', '/999999999', { aggregate: { name: 'a' } }, 404],
    ['DELETE', '/999999999', undefined, 404],
    ['POST', '/1/action', { fly: {} }, 400],
    ['POST', '/1/action', { add_host: {} }, 400],
  ])('%s %s with %j is answered %i', async (method, path, body, status) => {
    const { cloud, as } = await open();
    expect((await cloud.call(method, `/os-aggregates${path}`, { as, body })).status).toBe(status);
  });

  it('has a name of its own, and is for operators', async () => {
    const { cloud, as, make } = await open();
    const [one, other] = [await make('one'), await make('other')];
    const body = { aggregate: { name: 'one' } };
    expect((await cloud.call('POST', '/os-aggregates', { as, body })).status).toBe(409);
    expect((await cloud.call('PUT', `/os-aggregates/${other.id}`, { as, body })).status).toBe(409);
    const path = `/os-aggregates/${one.id}`;
    for (const [method, at, sent] of [
      ['GET', '/os-aggregates', undefined],
      ['POST', '/os-aggregates', body],
      ['GET', path, undefined],
      ['PUT', path, body],
      ['DELETE', path, undefined],
      ['POST', `${path}/action`, { add_host: { host: 'a' } }],
      ['POST', `${path}/action`, { remove_host: { host: 'a' } }],
      ['POST', `${path}/action`, { set_metadata: { metadata: {} } }],
    ] as const) {
      expect([method, at, (await cloud.call(method, at, { body: sent })).status]).toEqual([method, at, 403]);
    }
  });
});
