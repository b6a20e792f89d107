import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { operations } from '../../../db/schema/fleet.ts';
import { images } from '../../../db/schema/image.ts';
import { ipAllocations, ports } from '../../../db/schema/network.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';

const open = async () => {
  const cloud = await ComputeCloud.open();
  const runnerId = await cloud.addRunner();
  const { networkId } = await cloud.addNetwork();
  return { cloud, runnerId, id: await cloud.createActive({ networks: [{ uuid: networkId }] }) };
};
const shelve = async (cloud: ComputeCloud, id: string): Promise<string> => {
  await cloud.act(id, { shelve: null });
  const imageId = await cloud.copied(id);
  await cloud.observe(id, { state: 'absent' });
  return imageId;
};
const imageOf = async (cloud: ComputeCloud, id: string) =>
  (await cloud.ctx.db.select().from(images).where(eq(images.id, id)))[0];
const portsOf = (cloud: ComputeCloud, id: string) => cloud.ctx.db.select().from(ports).where(eq(ports.deviceId, id));
const refusalOf = async (
  cloud: ComputeCloud,
  id: string,
  body: unknown,
  as = cloud.user,
): Promise<[number, string]> => {
  const response = await cloud.call('POST', `/servers/${id}/action`, { body, as, version: '2.91' });
  const [fault] = Object.values((await response.json()) as Record<string, { message: string }>);
  return [response.status, fault?.message ?? ''];
};

/** How the newest action on a server went: its message, and the result of its event. */
const outcomeOf = async (cloud: ComputeCloud, id: string) => {
  const at = `/servers/${id}/os-instance-actions`;
  const { instanceActions } = await cloud.answer<{ instanceActions: { request_id: string }[] }>('GET', at);
  const { instanceAction } = await cloud.answer<{
    instanceAction: { action: string; message: string | null; events: { result: string }[] };
  }>('GET', `${at}/${instanceActions[0]?.request_id}`, { version: '2.51' });
  const { action, message, events } = instanceAction;
  return { action, message, results: events.map(({ result }) => result) };
};

describe('a server that is shelved', () => {
  it('turns off, is copied, gives its host up and keeps its address', async () => {
    const { cloud, runnerId, id } = await open();
    const { addresses } = await cloud.show(id);
    await cloud.act(id, { shelve: null });
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': 'shelving' });
    expect((await cloud.wish(id))?.spec).toMatchObject({ power: 'off' });
    // That it is off is but a step.
    await cloud.observe(id, { state: 'stopped' });
    expect(await cloud.show(id)).toMatchObject({ 'OS-EXT-STS:task_state': 'shelving' });
    const imageId = await cloud.copied(id);
    expect(await imageOf(cloud, imageId)).toMatchObject({ name: 's-shelved', status: 'active' });
    expect(await cloud.show(id)).toMatchObject({ status: 'SHELVED', 'OS-EXT-STS:task_state': 'shelving_offloading' });
    expect(await cloud.wish(id)).toMatchObject({ deleted: true });
    await cloud.observe(id, { state: 'absent' });
    expect(await cloud.show(id, cloud.admin)).toMatchObject({
      ...{ status: 'SHELVED_OFFLOADED', 'OS-EXT-STS:task_state': null, 'OS-EXT-SRV-ATTR:host': null, addresses },
    });
    expect(await cloud.runner(runnerId)).toMatchObject({ vcpusClaimed: 0, memoryMibClaimed: 0, diskGibClaimed: 0 });
    expect(await portsOf(cloud, id)).toMatchObject([{ runnerId: null, status: 'DOWN' }]);
    expect(await refusalOf(cloud, id, { 'os-start': null })).toEqual([
      409,
      `Cannot 'start' instance ${id} while it is in vm_state shelved_offloaded`,
    ]);
  });

  it('stays on its host when the image is not there, though the host says that it is done', async () => {
    const { cloud, runnerId, id } = await open();
    await cloud.act(id, { shelve: null });
    const [asked] = await cloud.ctx.db.select().from(operations).where(eq(operations.targetId, id));
    await cloud.ended(runnerId, asked?.opId ?? '', 'done');
    expect(await cloud.show(id)).toMatchObject({ status: 'SHUTOFF', 'OS-EXT-STS:task_state': null });
    expect(await cloud.wish(id)).toMatchObject({ deleted: false });
    expect(await outcomeOf(cloud, id)).toEqual({ action: 'shelve', message: 'Error', results: ['Error'] });
  });

  it('comes back on another host, from its own disk, as it is called by then', async () => {
    const { cloud, runnerId, id } = await open();
    const before = await cloud.wish(id);
    const imageId = await shelve(cloud, id);
    await cloud.answer('PUT', `/servers/${id}`, { body: { server: { name: 'renamed' } } });
    const other = await cloud.addRunner({ zone: 'east', name: 'other' });
    const to = { unshelve: { availability_zone: 'east' } };
    await cloud.answer('POST', `/servers/${id}/action`, { body: to, version: '2.77', status: 202 });
    expect(await cloud.show(id)).toMatchObject({ status: 'SHELVED_OFFLOADED', 'OS-EXT-STS:task_state': 'unshelving' });
    const wish = await cloud.wish(id);
    expect(wish).toMatchObject({ runnerId: other, deleted: false });
    expect(wish?.spec).toEqual({
      ...before?.spec,
      epoch: 2,
      image: { id: imageId, sha256: 'd'.repeat(64), size_bytes: 1_000_000, disk_format: 'qcow2' },
      metadata: { ...before?.spec?.metadata, name: 'renamed', availability_zone: 'east' },
    });
    expect(await portsOf(cloud, id)).toMatchObject([{ runnerId: other }]);
    expect(await cloud.runner(other)).toMatchObject({ vcpusClaimed: 1, memoryMibClaimed: 512, diskGibClaimed: 1 });
    expect(await cloud.runner(runnerId)).toMatchObject({ vcpusClaimed: 0 });
    await cloud.observe(id, { state: 'running' });
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': null });
    expect(await cloud.row(id)).toMatchObject({ shelvedImageId: null, shelvedSpec: null });
    expect(await imageOf(cloud, imageId)).toMatchObject({ status: 'deleted' });
  });

  it('stays shelved where no host has room, and says why', async () => {
    const { cloud, runnerId, id } = await open();
    await shelve(cloud, id);
    await cloud.answer('PUT', '/os-services/disable', {
      body: { host: (await cloud.runner(runnerId)).name, binary: 'nova-compute' },
      as: cloud.admin,
    });
    await cloud.act(id, { unshelve: null });
    expect(await cloud.show(id)).toMatchObject({ status: 'SHELVED_OFFLOADED', 'OS-EXT-STS:task_state': null });
    const { instanceActions } = await cloud.answer<{ instanceActions: object[] }>(
      'GET',
      `/servers/${id}/os-instance-actions`,
    );
    expect(instanceActions[0]).toMatchObject({ action: 'unshelve', message: 'Error' });
  });

  it('is deleted without a trace', async () => {
    const { cloud, id } = await open();
    const [port] = await portsOf(cloud, id);
    const imageId = await shelve(cloud, id);
    await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
    expect((await cloud.call('GET', `/servers/${id}`)).status).toBe(404);
    expect(await portsOf(cloud, id)).toEqual([]);
    const held = await cloud.ctx.db
      .select()
      .from(ipAllocations)
      .where(eq(ipAllocations.portId, port?.id ?? ''));
    expect(held).toEqual([]);
    expect(await imageOf(cloud, imageId)).toMatchObject({ status: 'deleted' });
  });

  it('is deleted in the midst of it, too', async () => {
    const { cloud, id } = await open();
    await cloud.act(id, { shelve: null });
    const imageId = await cloud.copied(id);
    await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
    expect(await cloud.show(id)).toMatchObject({ 'OS-EXT-STS:task_state': 'deleting' });
    await cloud.observe(id, { state: 'absent' });
    expect((await cloud.call('GET', `/servers/${id}`)).status).toBe(404);
    expect(await imageOf(cloud, imageId)).toMatchObject({ status: 'deleted' });
    expect(await portsOf(cloud, id)).toEqual([]);
  });

  it('is off and where it was, where its disk cannot be copied', async () => {
    const { cloud, runnerId, id } = await open();
    await cloud.act(id, { shelve: null });
    const [asked] = await cloud.ctx.db.select().from(operations).where(eq(operations.targetId, id));
    await cloud.ended(runnerId, asked?.opId ?? '', 'failed', { code: 507, message: 'No space is left.' });
    expect(await cloud.show(id)).toMatchObject({ status: 'SHUTOFF', 'OS-EXT-STS:task_state': null });
    expect(await outcomeOf(cloud, id)).toEqual({ action: 'shelve', message: 'Error', results: ['Error'] });
    await cloud.act(id, { 'os-start': null });
    await cloud.observe(id, { state: 'running' });
    expect((await cloud.show(id)).status).toBe('ACTIVE');
  });

  it('refuses destinations as Nova does', async () => {
    const { cloud, id } = await open();
    expect(await refusalOf(cloud, id, { unshelve: null })).toEqual([
      409,
      `Cannot 'unshelve' instance ${id} while it is in vm_state active`,
    ]);
    await shelve(cloud, id);
    const to = (unshelve: object, as = cloud.admin) => refusalOf(cloud, id, { unshelve }, as);
    expect(await to({ availability_zone: 'nowhere' })).toEqual([
      400,
      'The requested availability zone is not available',
    ]);
    expect(await to({ host: 'nobody' })).toEqual([400, 'Compute host nobody could not be found.']);
    await cloud.addRunner({ zone: 'east', name: 'other' });
    const astray = { host: 'other', availability_zone: 'nova' };
    expect(await to(astray)).toEqual([409, 'Host "other" is not in the availability zone "nova".']);
    expect((await to({ host: 'other' }, cloud.user))[0]).toBe(403);
  });
});
