import { beforeAll, describe, expect, it } from 'vitest';
import { ComputeCloud, type Server } from '../../../test/compute-cloud.ts';
import { inOwnRegion, type NetActor, net, newMember, newNetwork } from '../../../test/edge-network.ts';
import { mintActor } from '../../../test/edge-tokens.ts';

let admin: NetActor;
let member: NetActor;
beforeAll(async () => {
  admin = inOwnRegion(await mintActor('admin'));
});
const fresh = async () => {
  member = inOwnRegion(await newMember(), admin.region);
  return member;
};
const limit = (limits: Record<string, unknown>, of = member) =>
  net(admin, 'PUT', `/quotas/${of.projectId}`, { quota: limits });
const used = async (resource: string, of = member) =>
  (await net(of, 'GET', `/quotas/${of.projectId}/details.json`)).body.quota[resource];
const fault = ({ status, body }: Awaited<ReturnType<typeof net>>) => [status, body.NeutronError];
const over = (resource: string) => [
  409,
  { type: 'OverQuota', message: `Quota exceeded for resources: ['${resource}'].`, detail: '' },
];

const DEFAULTS = {
  network: 100,
  subnet: 100,
  port: 500,
  router: 10,
  floatingip: 50,
  security_group: 10,
  security_group_rule: 100,
  rbac_policy: 10,
  subnetpool: -1,
};

describe('quotas', () => {
  it('are the defaults until an operator says otherwise, and again when they are deleted', async () => {
    const actor = await fresh();
    const path = `/quotas/${actor.projectId}`;
    expect((await net(actor, 'GET', path)).body.quota).toMatchObject(DEFAULTS);
    const changed = await limit({ network: 7, port: '9' });
    expect([changed.status, changed.body.quota]).toMatchObject([200, { ...DEFAULTS, network: 7, port: 9 }]);
    await limit({ network: -1 });
    expect((await net(actor, 'GET', path)).body.quota).toMatchObject({ network: -1, port: 9, subnet: 100 });
    expect((await net(actor, 'GET', `${path}/default`)).body.quota).toMatchObject(DEFAULTS);
    const listed = (await net(admin, 'GET', '/quotas')).body.quotas;
    expect(listed).toContainEqual(expect.objectContaining({ project_id: actor.projectId, network: -1, port: 9 }));
    expect((await net(admin, 'DELETE', path)).status).toBe(204);
    expect((await net(actor, 'GET', path)).body.quota).toMatchObject(DEFAULTS);
    expect(fault(await net(admin, 'DELETE', path))).toMatchObject([404, { type: 'TenantQuotaNotFound' }]);
    expect((await net(actor, 'GET', '/quotas/project')).body).toEqual({ project: { project_id: actor.projectId } });
    expect((await net(actor, 'GET', '/quotas/tenant')).body).toEqual({ tenant: { tenant_id: actor.projectId } });
  });

  it('refuses what is no limit', async () => {
    await fresh();
    for (const quota of [{ network: -2 }, { network: 'many' }, { network: 2 ** 31 }, { nonesuch: 1 }]) {
      expect((await limit(quota)).status, JSON.stringify(quota)).toBe(400);
    }
  });

  it('holds for 50 creates at once', async () => {
    const actor = await fresh();
    await limit({ network: 20 });
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => net(actor, 'POST', '/networks', { network: { name: 'n' } })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
    for (const refused of answers.filter(({ status }) => status !== 201))
      expect(fault(refused)).toEqual(over('network'));
    expect(await used('network')).toEqual({ limit: 20, used: 20, reserved: 0 });
  });

  it('counts all of a bulk create, before and after', async () => {
    const actor = await fresh();
    await limit({ network: 3 });
    const create = (count: number) => net(actor, 'POST', '/networks', { networks: Array(count).fill({ name: 'n' }) });
    expect(fault(await create(4))).toEqual(over('network'));
    expect(await used('network')).toMatchObject({ used: 0 });
    expect((await create(3)).status).toBe(201);
  });

  it('holds for subnets, ports, groups and rules', async () => {
    const actor = await fresh();
    const { networkId } = await newNetwork(actor);
    await limit({ subnet: 1, port: 1, security_group: 2, security_group_rule: 8 });
    const subnet = { network_id: networkId, ip_version: 4, cidr: '10.77.0.0/24' };
    expect(fault(await net(actor, 'POST', '/subnets', { subnet }))).toEqual(over('subnet'));
    const port = () => net(actor, 'POST', '/ports', { port: { network_id: networkId } });
    expect((await port()).status).toBe(201);
    expect(fault(await port())).toEqual(over('port'));
    // The default group and its four rules are there already.
    const group = () => net(actor, 'POST', '/security-groups', { security_group: { name: 'g' } });
    const made = await group();
    expect(made.status).toBe(201);
    expect(fault(await group())).toEqual(over('security_group'));
    const rule = (portMax: number) =>
      net(actor, 'POST', '/security-group-rules', {
        security_group_rule: {
          security_group_id: made.body.security_group.id,
          direction: 'ingress',
          protocol: 'tcp',
          port_range_min: 1,
          port_range_max: portMax,
        },
      });
    expect((await rule(1)).status).toBe(201);
    expect((await rule(2)).status).toBe(201);
    expect(fault(await rule(3))).toEqual(over('security_group_rule'));
  });

  it('is not set below what is used, if that is checked; and nothing more is made then', async () => {
    const actor = await fresh();
    await newNetwork(actor);
    await newNetwork(actor);
    const refused = await limit({ network: 1, check_limit: true });
    expect([refused.status, refused.body.NeutronError.message]).toEqual([
      400,
      'Quota limit 1 for network must be greater than or equal to already used 2',
    ]);
    expect((await limit({ network: 2, check_limit: true })).status).toBe(200);
    expect((await limit({ network: 1, force: true })).status).toBe(200);
    expect((await limit({ network: 1 })).status).toBe(200);
    expect(fault(await net(actor, 'POST', '/networks', { network: {} }))).toEqual(over('network'));
    // What is there stays, and can be changed.
    const { body } = await net(actor, 'GET', '/networks');
    const change = { network: { name: 'x' } };
    expect((await net(actor, 'PUT', `/networks/${body.networks[0].id}`, change)).status).toBe(200);
  });

  it('counts the ports that servers get, and lets a server go to ERROR that was promised one', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const user: NetActor = { ...cloud.user, region: cloud.region };
    const { networkId } = await newNetwork(user);
    const set = (port: number) =>
      net({ ...cloud.admin, region: cloud.region }, 'PUT', `/quotas/${user.projectId}`, { quota: { port } });
    const networks = [{ uuid: networkId }];
    await set(1);
    await cloud.create({ networks });
    expect(await cloud.refusal({ networks })).toEqual([403, 'Maximum number of ports exceeded']);
    await set(2);
    await cloud.create({ networks, min_count: 2 });
    const { servers } = await cloud.answer<{ servers: Server[] }>('GET', '/servers/detail');
    expect(servers.map(({ status }) => status).sort()).toEqual(['BUILD', 'BUILD', 'ERROR']);
    expect(await used('port', user)).toEqual({ limit: 2, used: 2, reserved: 0 });
  });
});
