import { describe, expect, it } from 'vitest';
import { ComputeCloud } from '../../../test/compute-cloud.ts';

describe('the life of a server', () => {
  it('goes from BUILD to ACTIVE to gone, and gives back what it took', async () => {
    const cloud = await ComputeCloud.open();
    const runnerId = await cloud.addRunner();
    const id = await cloud.create();
    expect(await cloud.show(id)).toMatchObject({ status: 'BUILD', 'OS-EXT-STS:task_state': 'spawning', addresses: {} });
    expect(await cloud.runner(runnerId)).toMatchObject({ vcpusClaimed: 1, memoryMibClaimed: 512, diskGibClaimed: 1 });
    const wish = await cloud.wish(id);
    expect(wish?.spec).toMatchObject({ id, power: 'on', vcpus: 1, memory_mib: 512, disk_gib: 1, ports: [] });
    await cloud.observe(id, { state: 'running' });
    expect(await cloud.show(id)).toMatchObject({
      status: 'ACTIVE',
      'OS-EXT-STS:task_state': null,
      'OS-EXT-STS:power_state': 1,
    });
    await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': 'deleting' });
    expect(await cloud.wish(id)).toMatchObject({ deleted: true, spec: null });
    await cloud.observe(id, { state: 'absent' });
    expect((await cloud.call('GET', `/servers/${id}`)).status).toBe(404);
    expect(await cloud.runner(runnerId)).toMatchObject({ vcpusClaimed: 0, memoryMibClaimed: 0, diskGibClaimed: 0 });
    expect(await cloud.wish(id)).toBeUndefined();
    expect(await cloud.row(id)).toMatchObject({ vmState: 'deleted', taskState: null, claimedVcpus: 0 });
  });
});
