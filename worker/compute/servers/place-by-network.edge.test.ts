import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { runners } from '../../../db/schema/fleet.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';

const cabled = (physicalNetwork: string, more: Record<string, unknown> = {}) => ({
  'provider:network_type': 'flat',
  'provider:physical_network': physicalNetwork,
  shared: true,
  ...more,
});
/** A network that an admin makes for all. */
const addCabled = (cloud: ComputeCloud, of: Record<string, unknown>) =>
  cloud.addNetwork('10.8.0.0/24', { as: cloud.admin, ...of });
const runnerOf = async (cloud: ComputeCloud, id: string) => (await cloud.row(id)).runnerId;
const faultOf = async (cloud: ComputeCloud, id: string) => (await cloud.show(id)).fault?.message;

describe('a server goes to a host that is on its networks', () => {
  it('by cable', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner({ physicalNetworks: ['public'] });
    const racks = await cloud.addRunner({ physicalNetworks: ['racks'], vcpusAllocatable: 1 });
    const { networkId } = await addCabled(cloud, cabled('racks'));
    const networks = [{ uuid: networkId }];
    expect(await runnerOf(cloud, await cloud.create({ networks }))).toBe(racks);
    const fault = await faultOf(cloud, await cloud.create({ networks }));
    for (const why of [`1 not on the cables of network ${networkId}`, '1 too few vCPUs (need 1)']) {
      expect(fault).toContain(why);
    }
  });

  it('by 802.1Q where the kernel has it', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner({ physicalNetworks: ['racks'] });
    const able = await cloud.addRunner({ physicalNetworks: ['racks'], capabilities: ['vlan'], vcpusAllocatable: 2 });
    const of = cabled('racks', { 'provider:network_type': 'vlan', 'provider:segmentation_id': 7 });
    const { networkId } = await addCabled(cloud, of);
    expect(await runnerOf(cloud, await cloud.create({ networks: [{ uuid: networkId }] }))).toBe(able);
    // A port that was there before asks for as much.
    const { port } = await cloud.make<{ port: { id: string } }>('ports', { port: { network_id: networkId } });
    expect(await runnerOf(cloud, await cloud.create({ networks: [{ port: port.id }] }))).toBe(able);
  });

  it('by tunnel, or to where its neighbours are alone', async () => {
    const cloud = await ComputeCloud.open();
    const alone = await cloud.addRunner({ tunnelIp: null });
    const networks = [{ uuid: (await cloud.addNetwork()).networkId }];
    await cloud.create({ networks });
    await cloud.addRunner();
    expect(await runnerOf(cloud, await cloud.create({ networks }))).toBe(alone);
    await cloud.ctx.db.update(runners).set({ vcpusClaimed: 10 }).where(eq(runners.id, alone));
    expect(await faultOf(cloud, await cloud.create({ networks }))).toContain('1 without a tunnel to the guests');
  });
});

describe('a server that is there', () => {
  it('moves to no host that is not on its networks', async () => {
    const cloud = await ComputeCloud.open();
    const first = await cloud.addRunner({ physicalNetworks: ['racks'] });
    const { networkId } = await addCabled(cloud, cabled('racks'));
    const id = await cloud.create({ networks: [{ uuid: networkId }] });
    await cloud.observe(id, { state: 'running' });
    await cloud.addRunner({ physicalNetworks: ['public'] });
    const migrate = () => cloud.call('POST', `/servers/${id}/action`, { body: { migrate: null }, as: cloud.admin });
    const refused = await migrate();
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('not on the cables')]);
    await cloud.ctx.db.update(runners).set({ forcedDown: true }).where(eq(runners.id, first));
    const evacuated = await cloud.call('POST', `/servers/${id}/action`, {
      body: { evacuate: { onSharedStorage: false } },
      as: cloud.admin,
    });
    expect([evacuated.status, await evacuated.text()]).toEqual([400, expect.stringContaining('not on the cables')]);
    await cloud.ctx.db.update(runners).set({ forcedDown: false }).where(eq(runners.id, first));
    await cloud.addRunner({ physicalNetworks: ['racks'] });
    expect((await migrate()).status).toBe(202);
  });

  it('moves off a host that has no tunnel where it is the only one of its network', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner({ tunnelIp: null });
    const id = await cloud.create({ networks: [{ uuid: (await cloud.addNetwork()).networkId }] });
    await cloud.observe(id, { state: 'running' });
    await cloud.addRunner();
    await cloud.act(id, { migrate: null }, cloud.admin);
    expect((await cloud.show(id)).status).toBe('RESIZE');
  });

  it('takes no port of a network that its host is not on', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const id = await cloud.create();
    await cloud.observe(id, { state: 'running' });
    const { networkId } = await addCabled(cloud, cabled('racks'));
    const body = { interfaceAttachment: { net_id: networkId } };
    const answer = await cloud.call('POST', `/servers/${id}/os-interface`, { body });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('not on the cables')]);
  });
});
