import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { operations } from '../../../db/schema/fleet.ts';
import { images } from '../../../db/schema/image.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { recordOperation } from '../../fleet/link/record-operation.ts';
import { commitAll } from '../../http/commit.ts';
import { expireTasks } from '../expire-tasks.ts';

const open = async () => {
  const cloud = await ComputeCloud.open();
  const runnerId = await cloud.addRunner();
  const imageId = await cloud.addImage({ properties: { os_distro: 'tiny', img_signature: 'x' }, minRamMib: 64 });
  cloud.imageId = imageId;
  return { cloud, runnerId, id: await cloud.createActive() };
};
const imageOf = async (cloud: ComputeCloud, id: string) => {
  const [row] = await cloud.ctx.db.select().from(images).where(eq(images.id, id));
  return row;
};
const askedOf = async (cloud: ComputeCloud, id: string) => {
  const rows = await cloud.ctx.db.select().from(operations).where(eq(operations.targetId, id));
  return rows.filter((row) => row.state === 'queued' || row.state === 'accepted').at(-1)?.opId ?? '';
};
const begin = async (cloud: ComputeCloud, id: string, body: Record<string, unknown>): Promise<string> =>
  (await cloud.answer<{ image_id: string }>('POST', `/servers/${id}/action`, { body, version: '2.45', status: 202 }))
    .image_id;
const createImage = (cloud: ComputeCloud, id: string, more = {}) =>
  begin(cloud, id, { createImage: { name: 'snap', ...more } });
const filled = (cloud: ComputeCloud, imageId: string) =>
  cloud.ctx.db
    .update(images)
    .set({ status: 'active', blobKey: `b/${imageId}` })
    .where(eq(images.id, imageId));
const backup = async (
  cloud: ComputeCloud,
  runnerId: string,
  id: string,
  of: { backup_type: string; rotation: number },
) => {
  const imageId = await begin(cloud, id, { createBackup: { name: 'b', ...of } });
  await filled(cloud, imageId);
  await cloud.ended(runnerId, await askedOf(cloud, id), 'done');
  return imageId;
};

describe('createImage', () => {
  it('begins an image that says where it comes from, and frees the server when that is there', async () => {
    const { cloud, runnerId, id } = await open();
    const imageId = await createImage(cloud, id, { metadata: { purpose: 'test' } });
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': 'image_snapshot_pending' });
    expect(await imageOf(cloud, imageId)).toMatchObject({
      ...{ status: 'queued', name: 'snap', visibility: 'private', projectId: cloud.user.projectId },
      ...{ minDiskGib: 1, minRamMib: 64, diskFormat: 'qcow2', containerFormat: 'bare' },
      properties: {
        ...{ os_distro: 'tiny', base_image_ref: cloud.imageId, instance_uuid: id, image_type: 'snapshot' },
        ...{ user_id: cloud.user.userId, purpose: 'test' },
      },
    });
    expect((await imageOf(cloud, imageId))?.properties).not.toHaveProperty('img_signature');
    const opId = await askedOf(cloud, id);
    await recordOperation(cloud.ctx, runnerId, { type: 'operation-update', op_id: opId, state: 'accepted' });
    expect(await cloud.show(id)).toMatchObject({ 'OS-EXT-STS:task_state': 'image_uploading' });
    const busy = await cloud.call('POST', `/servers/${id}/action`, { body: { createImage: { name: 'two' } } });
    expect(busy.status).toBe(409);
    await filled(cloud, imageId);
    await cloud.ended(runnerId, opId, 'done');
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': null });
    expect(await imageOf(cloud, imageId)).toMatchObject({ status: 'active' });
  });

  it('takes no metadata that images keep for the service itself', async () => {
    const { cloud, id } = await open();
    for (const name of ['os_glance_import_task', 'checksum', 'locations']) {
      const body = { createImage: { name: 'snap', metadata: { [name]: 'x' } } };
      expect((await cloud.call('POST', `/servers/${id}/action`, { body })).status).toBe(403);
    }
    expect((await cloud.show(id))['OS-EXT-STS:task_state']).toBe(null);
  });

  it('says where the image is in the way of each version', async () => {
    const { cloud, id } = await open();
    const body = { createImage: { name: 'snap' } };
    const response = await cloud.call('POST', `/servers/${id}/action`, { body, version: '2.44' });
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toMatch(/\/image\/v2\/images\/[0-9a-f-]{36}$/);
    expect(await response.text()).toBe('');
  });

  it('leaves no image behind where the host fails, and the server as it was', async () => {
    const { cloud, runnerId, id } = await open();
    const imageId = await createImage(cloud, id);
    await cloud.ended(runnerId, await askedOf(cloud, id), 'failed', { code: 507, message: 'No space is left.' });
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': null });
    expect(await imageOf(cloud, imageId)).toMatchObject({ status: 'deleted' });
    const { instanceActions } = await cloud.answer<{ instanceActions: object[] }>(
      'GET',
      `/servers/${id}/os-instance-actions`,
    );
    expect(instanceActions[0]).toMatchObject({ action: 'createImage', message: 'Error' });
  });

  it('leaves none behind where the host says nothing until its deadline, or is given up', async () => {
    const { cloud, id } = await open();
    const imageId = await createImage(cloud, id);
    const late = { ...cloud.ctx, clock: { nowMs: () => Date.now() + 86_400_000 } };
    await commitAll(late, expireTasks(late));
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': null });
    expect(await imageOf(cloud, imageId)).toMatchObject({ status: 'deleted' });
  });

  it('is over with its server', async () => {
    const { cloud, runnerId, id } = await open();
    const imageId = await createImage(cloud, id);
    const opId = await askedOf(cloud, id);
    await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
    expect(await cloud.show(id)).toMatchObject({ 'OS-EXT-STS:task_state': 'deleting' });
    await cloud.ended(runnerId, opId, 'failed', { code: 404, message: 'The server is not on this machine.' });
    expect(await imageOf(cloud, imageId)).toMatchObject({ status: 'deleted' });
    expect(await cloud.show(id)).toMatchObject({ 'OS-EXT-STS:task_state': 'deleting' });
    await cloud.observe(id, { state: 'absent' });
    expect((await cloud.call('GET', `/servers/${id}`)).status).toBe(404);
  });

  it('is the admin’s who asks for it, and shared', async () => {
    const { cloud, id } = await open();
    const { image_id } = await cloud.answer<{ image_id: string }>('POST', `/servers/${id}/action`, {
      body: { createImage: { name: 'snap' } },
      ...{ as: cloud.admin, version: '2.45', status: 202 },
    });
    expect(await imageOf(cloud, image_id)).toMatchObject({
      projectId: cloud.admin.projectId,
      visibility: 'shared',
      properties: { instance_owner: cloud.user.projectId },
    });
  });
});

describe('createBackup', () => {
  it('keeps as many of a type as it is told, the newest', async () => {
    const { cloud, runnerId, id } = await open();
    const weekly = await backup(cloud, runnerId, id, { backup_type: 'weekly', rotation: 1 });
    const daily: string[] = [];
    for (let count = 0; count < 3; count++) {
      daily.push(await backup(cloud, runnerId, id, { backup_type: 'daily', rotation: 2 }));
    }
    const statuses = await Promise.all([weekly, ...daily].map(async (one) => (await imageOf(cloud, one))?.status));
    expect(statuses).toEqual(['active', 'deleted', 'active', 'active']);
    expect(await imageOf(cloud, weekly)).toMatchObject({ properties: { image_type: 'backup', backup_type: 'weekly' } });
    expect(await cloud.show(id)).toMatchObject({ 'OS-EXT-STS:task_state': null });
  });

  it('deletes none for one that is not there, though the host says that it is done', async () => {
    const { cloud, runnerId, id } = await open();
    const kept = await backup(cloud, runnerId, id, { backup_type: 'daily', rotation: 1 });
    await begin(cloud, id, { createBackup: { name: 'b', backup_type: 'daily', rotation: 1 } });
    await cloud.ended(runnerId, await askedOf(cloud, id), 'done');
    expect(await imageOf(cloud, kept)).toMatchObject({ status: 'active' });
  });

  it('keeps none at a rotation of zero', async () => {
    const { cloud, runnerId, id } = await open();
    const one = await backup(cloud, runnerId, id, { backup_type: 'daily', rotation: 0 });
    expect(await imageOf(cloud, one)).toMatchObject({ status: 'deleted' });
  });
});
