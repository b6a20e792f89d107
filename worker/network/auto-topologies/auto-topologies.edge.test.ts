import { beforeEach, expect, it } from 'vitest';
import { inOwnRegion, type NetActor, net, newMember } from '../../../test/edge-network.ts';
import { mintActor } from '../../../test/edge-tokens.ts';

let member: NetActor;
let admin: NetActor;
beforeEach(async () => {
  admin = inOwnRegion(await mintActor('admin'));
  member = inOwnRegion(await newMember(), admin.region);
});

const ask = (actor: NetActor, of = '', project = member.projectId) =>
  net(actor, 'GET', `/auto-allocated-topology/${project}${of}`);

/** What an operator makes first. */
async function prepare(prefixes = ['10.8.0.0/16']): Promise<string> {
  const values = { 'router:external': true, is_default: true, 'provider:network_type': 'local' };
  const { network } = (await net(admin, 'POST', '/networks', { network: values })).body;
  await net(admin, 'POST', '/subnets', { subnet: { network_id: network.id, ip_version: 4, cidr: '192.0.2.0/24' } });
  const pool = { name: 'p', prefixes, default_prefixlen: 26, shared: true, is_default: true };
  expect((await net(admin, 'POST', '/subnetpools', { subnetpool: pool })).status).toBe(201);
  return network.id;
}

const own = async (what: 'networks' | 'subnets' | 'routers') =>
  (await net(member, 'GET', `/${what}?project_id=${member.projectId}`)).body[what];
const counts = async () => [
  (await own('networks')).length,
  (await own('subnets')).length,
  (await own('routers')).length,
];

it('says what an operator has to make first', async () => {
  for (const fields of ['', '?fields=dry-run']) {
    const { status, body } = await ask(member, fields);
    expect([status, body.NeutronError]).toMatchObject([
      409,
      { type: 'AutoAllocationFailure', message: 'Deployment error: No default router:external network.' },
    ]);
  }
  const values = { 'router:external': true, is_default: true, 'provider:network_type': 'local' };
  await net(admin, 'POST', '/networks', { network: values });
  expect((await ask(member)).body.NeutronError.message).toBe('Deployment error: No default subnetpools defined.');
  expect(await counts()).toEqual([0, 0, 0]);
});

it('gives a project a network with a way outside, once, and takes it away', async () => {
  const outside = await prepare();
  const dry = await ask(member, '?fields=dry-run');
  expect(dry.body.auto_allocated_topology).toMatchObject({ id: 'dry-run=pass', tenant_id: member.projectId });
  expect(await counts()).toEqual([0, 0, 0]);
  const { status, body } = await ask(member, '', 'None');
  expect(status).toBe(200);
  const { id } = body.auto_allocated_topology;
  expect(body.auto_allocated_topology).toEqual({ id, tenant_id: member.projectId, project_id: member.projectId });
  expect(await own('networks')).toMatchObject([{ id, name: 'auto_allocated_network', admin_state_up: true }]);
  const [subnet] = await own('subnets');
  expect(subnet).toMatchObject({ name: 'auto_allocated_subnet_v4', network_id: id, cidr: '10.8.0.0/26' });
  const [router] = await own('routers');
  expect(router).toMatchObject({ name: 'auto_allocated_router', external_gateway_info: { network_id: outside } });
  const { ports } = (await net(member, 'GET', `/ports?device_id=${router.id}&network_id=${id}`)).body;
  expect(ports).toMatchObject([{ fixed_ips: [{ subnet_id: subnet.id, ip_address: subnet.gateway_ip }] }]);
  expect((await ask(admin)).body.auto_allocated_topology.id).toBe(id);
  expect(await counts()).toEqual([1, 1, 1]);

  const port = (await net(member, 'POST', '/ports', { port: { network_id: id } })).body.port;
  const path = `/auto-allocated-topology/${member.projectId}`;
  expect((await net(member, 'DELETE', path)).body.NeutronError.type).toBe('NetworkInUse');
  expect(await counts()).toEqual([1, 1, 1]);
  await net(member, 'DELETE', `/ports/${port.id}`);
  expect([(await net(member, 'DELETE', path)).status, (await net(member, 'DELETE', path)).status]).toEqual([204, 204]);
  expect(await counts()).toEqual([0, 0, 0]);
});

it('makes one for several who ask at once', async () => {
  await prepare();
  const asked = await Promise.all([1, 2, 3].map(() => ask(member)));
  expect(asked.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(new Set(asked.map(({ body }) => body.auto_allocated_topology.id)).size).toBe(1);
  expect(await counts()).toEqual([1, 1, 1]);
});

it('leaves nothing of one that could not be made whole', async () => {
  await prepare();
  await net(admin, 'PUT', `/quotas/${member.projectId}`, { quota: { router: 0 } });
  expect((await ask(member)).body.NeutronError.type).toBe('OverQuota');
  expect(await counts()).toEqual([0, 0, 0]);
});

it('is made by who may make networks, of the own project', async () => {
  await prepare();
  const reader = inOwnRegion(await mintActor('reader', member.projectId), admin.region);
  expect((await ask(reader)).status).toBe(403);
  const { id } = (await ask(member)).body.auto_allocated_topology;
  expect((await ask(reader)).body.auto_allocated_topology.id).toBe(id);
  expect((await ask(inOwnRegion(await newMember(), admin.region))).status).toBe(403);
  expect((await ask(member, '?fields=id')).status).toBe(400);
});
