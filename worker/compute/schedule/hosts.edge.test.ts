import { describe, expect, it } from 'vitest';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { hostRead, hostsOf } from './hosts.ts';

describe('the hosts that are read for a placement', () => {
  it('are those of the region, with what is free', async () => {
    const cloud = await ComputeCloud.open();
    const id = await cloud.addRunner({
      name: 'a',
      vcpusClaimed: 4,
      diskGibAllocatable: 3,
      diskGibClaimed: 5,
      leaseExpiresAtMs: 7,
    });
    await cloud.addRunner({ name: 'b', connected: false, leaseExpiresAtMs: null, state: 'draining' });
    await cloud.addRunner({ name: 'c', state: 'removed' });
    const hosts = hostsOf(await hostRead(cloud.ctx)).sort((one, other) => (one.name < other.name ? -1 : 1));
    expect(hosts).toEqual([
      {
        id,
        name: 'a',
        zone: 'nova',
        state: 'enabled',
        connected: true,
        leaseExpiresAtMs: 7,
        vcpusFree: 6,
        memoryMibFree: 5_120,
        diskGibFree: -2,
      },
      expect.objectContaining({ name: 'b', connected: false, leaseExpiresAtMs: null, state: 'draining' }),
    ]);
  });

  it('are none in a region without machines', async () => {
    const cloud = await ComputeCloud.open();
    expect(hostsOf(await hostRead(cloud.ctx))).toEqual([]);
  });
});
