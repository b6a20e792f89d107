import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { operations } from '../../db/schema/fleet.ts';
import { ipAllocations } from '../../db/schema/network.ts';
import { ComputeCloud } from '../../test/compute-cloud.ts';
import { call } from '../../test/edge-client.ts';

describe('the servers of a machine that is lost for ever', () => {
  it('are in ERROR, say why, and can be deleted with their addresses', async () => {
    const cloud = await ComputeCloud.open();
    const lost = await cloud.addRunner({ name: 'lost' });
    const { networkId, subnetId } = await cloud.addNetwork();
    const id = await cloud.createActive({ networks: [{ uuid: networkId }] });
    const building = await cloud.create();
    const removed = await call('DELETE', `/r/${cloud.region}/aerostat/v1/runners/${lost}?force=true`, {
      token: cloud.admin.token,
    });
    expect(removed.status).toBe(204);
    for (const server of [id, building]) {
      expect(await cloud.show(server)).toMatchObject({
        status: 'ERROR',
        hostId: '',
        'OS-EXT-STS:task_state': null,
        fault: { message: 'Runner lost was removed by an operator.' },
      });
    }
    const { instanceActions } = await cloud.answer<{ instanceActions: object[] }>(
      'GET',
      `/servers/${building}/os-instance-actions`,
    );
    expect(instanceActions).toMatchObject([{ action: 'create', message: 'Error' }]);
    expect((await cloud.call('POST', `/servers/${id}/action`, { body: { reboot: { type: 'HARD' } } })).status).toBe(
      409,
    );
    expect(await cloud.ctx.db.$count(operations, sql`target_id = ${id}`)).toBe(0);
    await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
    expect((await cloud.call('GET', `/servers/${id}`)).status).toBe(404);
    expect(await cloud.ctx.db.$count(ipAllocations, sql`subnet_id = ${subnetId}`)).toBe(0);
    expect(await cloud.runner(lost)).toMatchObject({ vcpusClaimed: 0, state: 'removed' });
  });
});
