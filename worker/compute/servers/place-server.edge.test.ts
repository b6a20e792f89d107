import { and, eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { flavors, servers } from '../../../db/schema/compute.ts';
import { desired } from '../../../db/schema/fleet.ts';
import { ipAllocations } from '../../../db/schema/network.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';

describe('placement', () => {
  it('that finds no host leaves an ERROR that counts why', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner({ state: 'disabled' });
    await cloud.addRunner({ memoryMibAllocatable: 100 });
    await cloud.addRunner({ leaseExpiresAtMs: 1 });
    const id = await cloud.create();
    const server = await cloud.show(id);
    expect(server).toMatchObject({ status: 'ERROR', 'OS-EXT-STS:task_state': null, hostId: '' });
    expect(server.fault).toMatchObject({ code: 500 });
    expect(server.fault?.message).toMatch(/^No valid host was found\. 3 hosts: /);
    for (const reason of ['1 disabled', '1 too little memory (need 512 MiB)', '1 not connected']) {
      expect(server.fault?.message).toContain(reason);
    }
    expect(await cloud.wish(id)).toBeUndefined();
  });

  it('goes where an admin or a hint wants it', async () => {
    const cloud = await ComputeCloud.open();
    const hosts = [await cloud.addRunner(), await cloud.addRunner({ vcpusAllocatable: 5 })];
    const nameOf = async (index: number) => (await cloud.runner(hosts[index] ?? '')).name;
    const hostOf = async (id: string) => (await cloud.row(id)).runnerId;
    const forced = await cloud.create({ availability_zone: `nova:${await nameOf(1)}` }, cloud.admin);
    expect(await hostOf(forced)).toBe(hosts[1]);
    const asked = await cloud.create({ host: await nameOf(1) }, cloud.admin, '2.74');
    expect(await hostOf(asked)).toBe(hosts[1]);
    expect(await cloud.refusal({ availability_zone: 'nova:nowhere' }, { as: cloud.admin })).toEqual([
      400,
      'Compute host nowhere could not be found.',
    ]);
    const first = await cloud.create();
    expect(await hostOf(first)).toBe(hosts[0]);
    const hinted = async (hint: object) => {
      const server = { name: 's', imageRef: cloud.imageId, flavorRef: cloud.flavorId };
      const body = { server, 'os:scheduler_hints': hint };
      const answer = await cloud.answer<{ server: { id: string } }>('POST', '/servers', { body, status: 202 });
      return hostOf(answer.server.id);
    };
    expect(await hinted({ different_host: [first] })).toBe(hosts[1]);
    expect(await hinted({ same_host: first })).toBe(hosts[0]);
    const foreign = await cloud.create({ availability_zone: `nova:${await nameOf(0)}` }, cloud.admin);
    expect(await hinted({ different_host: foreign })).toBe(hosts[1]);
    expect(await hinted({ same_host: foreign })).toBeNull();
  });

  it('never hands out more than there is, however many race for it', async () => {
    const cloud = await ComputeCloud.open();
    const hosts = [
      await cloud.addRunner({ vcpusAllocatable: 3 }),
      await cloud.addRunner({ memoryMibAllocatable: 1_024 }),
    ];
    const ids = await Promise.all(Array.from({ length: 12 }, () => cloud.create()));
    const rows = await Promise.all(ids.map((id) => cloud.row(id)));
    expect(rows.filter((row) => row.runnerId !== null)).toHaveLength(5);
    expect(rows.filter((row) => row.vmState === 'error')).toHaveLength(7);
    const [first, second] = await Promise.all(hosts.map((id) => cloud.runner(id)));
    expect([first?.vcpusClaimed, second?.memoryMibClaimed]).toEqual([3, 1_024]);
  });

  it('goes where its flavor and its image find what they ask for', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner({ name: 'plain', capabilities: ['arch:x86_64'] });
    const arm = await cloud.addRunner({ name: 'arm', capabilities: ['arch:aarch64'] });
    const fast = await cloud.addRunner({ name: 'fast', capabilities: ['arch:x86_64'], vcpusAllocatable: 2 });
    const as = cloud.admin;
    const { aggregate } = await cloud.answer<{ aggregate: { id: number } }>('POST', '/os-aggregates', {
      as,
      body: { aggregate: { name: 'fast' } },
    });
    for (const body of [{ add_host: { host: 'fast' } }, { set_metadata: { metadata: { disk: 'ssd' } } }]) {
      await cloud.answer('POST', `/os-aggregates/${aggregate.id}/action`, { as, body });
    }
    const flavorRef = await cloud.addFlavor({ extraSpecs: { 'aggregate_instance_extra_specs:disk': 'ssd' } });
    expect((await cloud.row(await cloud.create({ flavorRef }))).runnerId).toBe(fast);
    const imageRef = await cloud.addImage({ properties: { hw_architecture: 'arm64' } });
    expect((await cloud.row(await cloud.create({ imageRef }))).runnerId).toBe(arm);
    const { fault } = await cloud.show(await cloud.create({ imageRef, flavorRef }));
    for (const reason of ['2 without aggregate_instance_extra_specs:disk ssd', '1 not of architecture arm64']) {
      expect(fault?.message).toContain(reason);
    }
  });

  it('of a server that an image decides the disk of claims what the image takes', async () => {
    const cloud = await ComputeCloud.open();
    const runnerId = await cloud.addRunner();
    const flavorRef = await cloud.addFlavor({ diskGib: 0 });
    const imageRef = await cloud.addImage({ virtualSizeBytes: 3 * 1024 ** 3 - 1 });
    await cloud.create({ flavorRef, imageRef }, cloud.admin);
    expect((await cloud.runner(runnerId)).diskGibClaimed).toBe(3);
  });

  it('keeps the flavor as it was', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const id = await cloud.create();
    await cloud.ctx.db.delete(flavors).where(and(eq(flavors.region, cloud.region), eq(flavors.id, cloud.flavorId)));
    expect(await cloud.show(id)).toMatchObject({ flavor: { vcpus: 1, ram: 512 } });
  });
});

describe('50 creates at once', () => {
  it('never claim more than there is, and leave no place empty', async () => {
    const cloud = await ComputeCloud.open();
    const rooms = [7, 1, 1, 1, 1, 4, 4, 1];
    const hosts = await Promise.all(rooms.map((vcpusAllocatable) => cloud.addRunner({ vcpusAllocatable })));
    const places = rooms.reduce((sum, room) => sum + room, 0);
    const ids = await Promise.all(Array.from({ length: 50 }, () => cloud.create()));
    const rows = await cloud.ctx.db.select().from(servers).where(eq(servers.region, cloud.region));
    const placed = rows.filter((row) => row.runnerId !== null);
    expect(rows).toHaveLength(ids.length);
    expect(new Set(rows.map(({ number }) => number)).size).toBe(50);
    expect(placed).toHaveLength(places);
    expect(rows.filter((row) => row.vmState === 'error')).toHaveLength(50 - places);
    for (const [index, hostId] of hosts.entries()) {
      const host = await cloud.runner(hostId);
      const on = placed.filter((row) => row.runnerId === hostId);
      expect([on.length, host.vcpusClaimed]).toEqual([rooms[index], rooms[index]]);
      expect(host.memoryMibClaimed).toBe(on.length * 512);
      expect(await cloud.ctx.db.$count(desired, and(eq(desired.runnerId, hostId), eq(desired.kind, 'server')))).toBe(
        on.length,
      );
    }
  });

  it('on one network get an address each', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner({ vcpusAllocatable: 100, memoryMibAllocatable: 100_000, diskGibAllocatable: 100 });
    const { networkId, subnetId } = await cloud.addNetwork();
    await Promise.all(Array.from({ length: 20 }, () => cloud.create({ networks: [{ uuid: networkId }] })));
    const taken = await cloud.ctx.db.select().from(ipAllocations).where(eq(ipAllocations.subnetId, subnetId));
    expect(new Set(taken.map(({ ipAddress }) => ipAddress)).size).toBe(20);
    expect(
      await cloud.ctx.db.$count(servers, and(eq(servers.region, cloud.region), eq(servers.vmState, 'building'))),
    ).toBe(20);
  });
});
