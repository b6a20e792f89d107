import { describe, expect, it } from 'vitest';
import { ComputeCloud, type Server } from '../../../test/compute-cloud.ts';

const open = async () => {
  const cloud = await ComputeCloud.open();
  await cloud.addRunner();
  return { cloud, id: await cloud.createActive() };
};
const refusalOf = async (cloud: ComputeCloud, id: string, body: unknown): Promise<[number, string]> => {
  const response = await cloud.call('POST', `/servers/${id}/action`, { body, version: '2.90' });
  const [fault] = Object.values((await response.json()) as Record<string, { message: string }>);
  return [response.status, fault?.message ?? ''];
};
const rebuild = (cloud: ComputeCloud, id: string, of: Record<string, unknown>, version = '2.90') =>
  cloud.answer<{ server: Server }>('POST', `/servers/${id}/action`, { body: { rebuild: of }, version, status: 202 });

describe('rebuild', () => {
  it('gives a server a new disk from another image, and what else it asks for', async () => {
    const { cloud, id } = await open();
    const imageRef = await cloud.addImage({ sha256: 'b'.repeat(64) });
    const before = await cloud.wish(id);
    const user_data = btoa('hello');
    const asked = { imageRef, name: 'anew', metadata: { a: 'b' }, description: 'new', user_data, adminPass: 'secret' };
    const { server } = await rebuild(cloud, id, asked);
    expect(server).toMatchObject({
      ...{ id, status: 'REBUILD', name: 'anew', metadata: { a: 'b' }, adminPass: 'secret', image: { id: imageRef } },
      ...{ description: 'new', key_name: null, user_data },
    });
    const wish = await cloud.wish(id);
    expect(wish?.spec).toEqual({
      ...before?.spec,
      image: { ...before?.spec?.image, id: imageRef, sha256: 'b'.repeat(64) },
      disk_version: 2,
      metadata: { ...before?.spec?.metadata, name: 'anew', meta: { a: 'b' }, user_data },
    });
    await cloud.observe(id, { state: 'running' });
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': null });
  });

  it('leaves one that is off as it is, and brings one in ERROR back', async () => {
    const { cloud, id } = await open();
    await cloud.act(id, { 'os-stop': null });
    await cloud.observe(id, { state: 'stopped' });
    await rebuild(cloud, id, { imageRef: cloud.imageId });
    expect((await cloud.wish(id))?.spec).toMatchObject({ power: 'off', disk_version: 2 });
    expect((await cloud.show(id)).status).toBe('REBUILD');
    await cloud.observe(id, { state: 'failed', fault: { code: 400, message: 'The image is refused.' } });
    expect(await cloud.show(id)).toMatchObject({ status: 'ERROR', fault: { message: 'The image is refused.' } });
    await rebuild(cloud, id, { imageRef: cloud.imageId });
    expect((await cloud.wish(id))?.spec).toMatchObject({ power: 'on', disk_version: 3 });
    await cloud.observe(id, { state: 'running' });
    expect((await cloud.show(id)).status).toBe('ACTIVE');
  });

  it('answers as each version does', async () => {
    const { cloud, id } = await open();
    const first = (await rebuild(cloud, id, { imageRef: cloud.imageId }, '2.1')).server;
    expect(Object.keys(first)).not.toContain('key_name');
    expect(Object.keys(first)).not.toContain('user_data');
    expect(first.adminPass).toMatch(/^\w{12}$/);
    expect(await refusalOf(cloud, id, { rebuild: { imageRef: cloud.imageId, personality: [] } })).toEqual([
      400,
      expect.stringContaining("'personality' was unexpected"),
    ]);
  });

  it('refuses images, keys and states as Nova does', async () => {
    const { cloud, id } = await open();
    const large = await cloud.addImage({ virtualSizeBytes: 2 * 1024 ** 3 });
    const to = (imageRef: string, more = {}) => refusalOf(cloud, id, { rebuild: { imageRef, ...more } });
    expect(await to(large)).toEqual([400, expect.stringMatching(/^Flavor's disk is too small/)]);
    expect(await to(await cloud.addImage({ minRamMib: 4096 }))).toEqual([
      400,
      "Flavor's memory is too small for requested image.",
    ]);
    expect(await to(crypto.randomUUID())).toEqual([400, 'Can not find requested image']);
    expect(await to(cloud.imageId, { key_name: 'none' })).toEqual([400, 'Invalid key_name provided.']);
    expect((await to('no-uuid'))[0]).toBe(400);
    expect((await cloud.wish(id))?.spec?.disk_version).toBe(1);
    await cloud.act(id, { pause: null });
    await cloud.observe(id, { state: 'paused' });
    expect(await to(cloud.imageId)).toEqual([409, `Cannot 'rebuild' instance ${id} while it is in vm_state paused`]);
  });
});

describe('a rebuild stays where the server is', () => {
  it.each([
    ['hw_architecture', 'aarch64', 'not of architecture aarch64'],
    ['img_hv_type', 'xen', 'not of hypervisor type xen'],
    ['hw_vm_mode', 'xen', 'not of vm mode xen'],
    ['hw_machine_type', 'pc-i440fx-8.0', 'not of machine type pc-i440fx-8.0'],
  ])('so that an image with %s %s is refused where its host is none', async (name, value, refused) => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner({ capabilities: ['arch:x86_64'] });
    const id = await cloud.createActive();
    await cloud.addRunner({ capabilities: ['arch:aarch64'] });
    const imageRef = await cloud.addImage({ properties: { [name]: value } });
    expect(await refusalOf(cloud, id, { rebuild: { imageRef } })).toEqual([
      400,
      `No valid host was found. The server's host is ${refused}.`,
    ]);
    expect(await cloud.row(id)).toMatchObject({ taskState: null, imageId: cloud.imageId });
    const good = await cloud.addImage({ properties: { hw_architecture: 'x86_64', hw_machine_type: 'q35' } });
    await rebuild(cloud, id, { imageRef: good });
  });

  it('on a disk that its flavor does not say the size of', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const flavorRef = await cloud.addFlavor({ diskGib: 0 });
    const id = await cloud.createActive({ flavorRef }, cloud.admin);
    const large = await cloud.addImage({ virtualSizeBytes: 2 * 1024 ** 3 });
    const response = await cloud.call('POST', `/servers/${id}/action`, {
      body: { rebuild: { imageRef: large } },
      as: cloud.admin,
    });
    expect([response.status, await response.text()]).toEqual([
      400,
      expect.stringContaining("Flavor's disk is too small for requested image."),
    ]);
  });
});

describe('rescue', () => {
  it('starts a server from another disk, and from its own again', async () => {
    const { cloud, id } = await open();
    const before = await cloud.wish(id);
    const image = await cloud.addImage({ sha256: 'c'.repeat(64) });
    const body = { rescue: { rescue_image_ref: image, adminPass: 'secret' } };
    expect(await cloud.answer('POST', `/servers/${id}/action`, { body })).toEqual({ adminPass: 'secret' });
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': 'rescuing' });
    expect((await cloud.wish(id))?.spec?.rescue).toMatchObject({ image: { id: image }, kernel: null });
    await cloud.observe(id, { state: 'running' });
    expect(await cloud.show(id)).toMatchObject({ status: 'RESCUE', 'OS-EXT-STS:vm_state': 'rescued' });
    expect(await refusalOf(cloud, id, { rescue: null })).toEqual([
      409,
      `Cannot 'rescue' instance ${id} while it is in vm_state rescued`,
    ]);
    // One that shuts itself down is still to be unrescued.
    await cloud.observe(id, { state: 'stopped', cause: 'guest' });
    expect(await cloud.show(id)).toMatchObject({ status: 'RESCUE', 'OS-EXT-STS:power_state': 4 });
    await cloud.act(id, { unrescue: null });
    expect((await cloud.wish(id))?.spec).toEqual(before?.spec);
    await cloud.observe(id, { state: 'running' });
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:power_state': 1 });
  });

  it('takes the server’s own image where none is named, though it is gone', async () => {
    const { cloud, id } = await open();
    const body = { rescue: null };
    const answer = await cloud.answer<{ adminPass: string }>('POST', `/servers/${id}/action`, { body });
    expect(answer.adminPass).toMatch(/^\w{12}$/);
    const { image, kernel, ramdisk, kernel_command_line } = (await cloud.wish(id))?.spec ?? {};
    expect((await cloud.wish(id))?.spec?.rescue).toEqual({ image, kernel, ramdisk, kernel_command_line });
  });

  it('refuses what cannot be booted, and a disk larger than the server’s', async () => {
    const { cloud, id } = await open();
    const queued = await cloud.addImage({ status: 'queued' });
    const large = await cloud.addImage({ virtualSizeBytes: 1024 ** 3 + 1 });
    for (const image of [crypto.randomUUID(), queued, large]) {
      expect(await refusalOf(cloud, id, { rescue: { rescue_image_ref: image } })).toEqual([
        400,
        `Requested rescue image '${image}' is not supported`,
      ]);
    }
    expect((await cloud.show(id))['OS-EXT-STS:task_state']).toBe(null);
  });
});
