import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { runBatch } from '../../http/commit.ts';
import { CLAIM, hostReads, hostsOf, takeClaim } from './hosts.ts';

const read = async (cloud: ComputeCloud) => hostsOf(await runBatch(cloud.ctx.db, hostReads(cloud.ctx)));

describe('the hosts that are read for a placement', () => {
  it('are those of the region, with what is free', async () => {
    const cloud = await ComputeCloud.open();
    const id = await cloud.addRunner({
      name: 'a',
      vcpusClaimed: 4,
      diskGibAllocatable: 3,
      diskGibClaimed: 5,
      leaseExpiresAtMs: 7,
      capabilities: ['arch:x86_64'],
      physicalNetworks: ['racks'],
    });
    const aggregate = { name: 'fast', availability_zone: 'nova' };
    const { aggregate: made } = await cloud.answer<{ aggregate: { id: number } }>('POST', '/os-aggregates', {
      as: cloud.admin,
      body: { aggregate },
    });
    const action = { as: cloud.admin, body: { add_host: { host: 'a' } } };
    await cloud.answer('POST', `/os-aggregates/${made.id}/action`, action);
    await cloud.ctx.db.run(
      sql`UPDATE runners SET vcpus_allocatable = 10, disk_gib_allocatable = 3, memory_mib_allocatable = 5120 WHERE id = ${id}`,
    );
    await cloud.addRunner({ name: 'b', connected: false, leaseExpiresAtMs: null, state: 'draining' });
    await cloud.addRunner({ name: 'c', state: 'removed' });
    const hosts = (await read(cloud)).sort((one, other) => (one.name < other.name ? -1 : 1));
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
        hypervisor: 'simulated',
        capabilities: ['arch:x86_64'],
        aggregates: [{ availability_zone: 'nova' }],
        tunnelIp: '192.0.2.1',
        physicalNetworks: ['racks'],
      },
      expect.objectContaining({ name: 'b', connected: false, leaseExpiresAtMs: null, state: 'draining' }),
    ]);
  });

  it('are none in a region without machines', async () => {
    const cloud = await ComputeCloud.open();
    expect(await read(cloud)).toEqual([]);
  });
});

describe('a claim', () => {
  const claim = { vcpus: 1, memoryMib: 1, diskGib: 1 };
  it.each([
    ['drained', { state: 'draining' as const }],
    ['forced down', { forcedDown: true }],
    ['full', { vcpusClaimed: 10 }],
  ])('is not taken of a host that was %s since it was read', async (_, of) => {
    const cloud = await ComputeCloud.open();
    const id = await cloud.addRunner(of);
    await expect(runBatch(cloud.ctx.db, takeClaim(cloud.ctx, { id }, claim))).rejects.toMatchObject({
      assertion: CLAIM,
    });
  });
});
