import { expect, it } from 'vitest';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { type NetActor, net } from '../../../test/edge-network.ts';

it('runners are agents to Neutron`s clients: listed, enabled and disabled by admins alone', async () => {
  const cloud = await ComputeCloud.open();
  const admin: NetActor = { ...cloud.admin, region: cloud.region };
  const user: NetActor = { ...cloud.user, region: cloud.region };
  const id = await cloud.addRunner({ name: 'a', tunnelIp: '192.0.2.1' });
  await cloud.addRunner({ name: 'b', zone: 'east', leaseExpiresAtMs: 0 });
  await cloud.addRunner({ name: 'c', state: 'removed' });
  const { agents } = (await net(admin, 'GET', '/agents?sort_key=host&sort_dir=asc')).body;
  expect(agents).toMatchObject([
    {
      id,
      host: 'a',
      agent_type: 'Aerostat runner',
      binary: 'aerostat-runner',
      alive: true,
      admin_state_up: true,
      availability_zone: 'nova',
      configurations: { tunneling_ip: '192.0.2.1', tunnel_types: ['vxlan'] },
    },
    { host: 'b', alive: false, availability_zone: 'east' },
  ]);
  expect((await net(user, 'GET', '/agents')).body).toEqual({ agents: [] });
  const put = (agent: object) => net(admin, 'PUT', `/agents/${id}`, { agent });
  expect((await put({ admin_state_up: false, description: 'repair' })).body.agent).toMatchObject({
    admin_state_up: false,
    description: 'repair',
  });
  const { networkId } = await cloud.addNetwork();
  const [status] = await cloud.refusal({ networks: [{ uuid: networkId }], availability_zone: `nova:a` });
  expect(status).not.toBe(202);
  expect((await put({ admin_state_up: true })).body.agent.admin_state_up).toBe(true);
  expect((await net(admin, 'GET', '/agents?host=b')).body.agents).toHaveLength(1);
  expect((await put({ host: 'x' })).status).toBe(400);
});

it('zones are those of runners, once for networks and once for routers', async () => {
  const cloud = await ComputeCloud.open();
  const user: NetActor = { ...cloud.user, region: cloud.region };
  await cloud.addRunner({ zone: 'east' });
  await cloud.addRunner({ zone: 'west', state: 'disabled' });
  const zones = async (query = '') => (await net(user, 'GET', `/availability_zones${query}`)).body.availability_zones;
  expect(await zones()).toEqual([
    { name: 'east', resource: 'network', state: 'available' },
    { name: 'west', resource: 'network', state: 'unavailable' },
    { name: 'east', resource: 'router', state: 'available' },
    { name: 'west', resource: 'router', state: 'unavailable' },
  ]);
  expect(await zones('?resource=router&name=east')).toHaveLength(1);
});

it('addresses of networks are counted: those of pools, and those in use', async () => {
  const cloud = await ComputeCloud.open();
  const user: NetActor = { ...cloud.user, region: cloud.region };
  const admin: NetActor = { ...cloud.admin, region: cloud.region };
  const { networkId, subnetId } = await cloud.addNetwork('10.9.0.0/24');
  await net(user, 'POST', '/subnets', { subnet: { network_id: networkId, ip_version: 6, cidr: '2001:db8::/120' } });
  await net(user, 'POST', '/ports', { port: { network_id: networkId } });
  const { body } = await net(admin, 'GET', `/network-ip-availabilities/${networkId}`);
  expect(body.network_ip_availability).toMatchObject({
    network_id: networkId,
    network_name: 'private',
    project_id: user.projectId,
    total_ips: 253 + 254,
    used_ips: 2,
    subnet_ip_availability: [
      { subnet_id: subnetId, cidr: '10.9.0.0/24', ip_version: 4, total_ips: 253, used_ips: 1 },
      { ip_version: 6, total_ips: 254, used_ips: 1 },
    ],
  });
  const listed = (await net(admin, 'GET', '/network-ip-availabilities?ip_version=4')).body.network_ip_availabilities;
  expect(listed).toMatchObject([{ network_id: networkId, total_ips: 253 }]);
  expect((await net(user, 'GET', '/network-ip-availabilities')).status).toBe(403);
});
