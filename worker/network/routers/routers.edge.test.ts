import { beforeAll, describe, expect, it } from 'vitest';
import { type NetActor, net, newMember, newNetwork } from '../../../test/edge-network.ts';
import { newExternal, newRouter, pluggedIn } from '../../../test/edge-routers.ts';
import { type Actor, mintActor } from '../../../test/edge-tokens.ts';

let admin: Actor;
beforeAll(async () => {
  admin = await mintActor('admin');
});

const put = async (actor: NetActor, id: string, action: string, body: unknown) => {
  const answer = await net(actor, 'PUT', `/routers/${id}${action}`, body);
  return [answer.status, answer.body.NeutronError?.type ?? answer.body] as const;
};
const add = (actor: NetActor, id: string, body: unknown) => put(actor, id, '/add_router_interface', body);
const remove = (actor: NetActor, id: string, body: unknown) => put(actor, id, '/remove_router_interface', body);

describe('a router', () => {
  it('is made, shown, changed, listed and removed', async () => {
    const actor = await newMember();
    const { networkId } = await newExternal(admin);
    const made = await net(actor, 'POST', '/routers', {
      router: { name: 'r', admin_state_up: false, external_gateway_info: { network_id: networkId } },
    });
    expect(made.status).toBe(201);
    expect(made.body.router).toMatchObject({
      name: 'r',
      admin_state_up: false,
      status: 'ACTIVE',
      project_id: actor.projectId,
      external_gateway_info: { network_id: networkId, enable_snat: true },
      routes: [],
      revision_number: 1,
    });
    expect(made.body.router).not.toHaveProperty('distributed');
    const path = `/routers/${made.body.router.id}`;
    for (const kind of [{ distributed: false }, { ha: true }]) {
      expect((await net(actor, 'PUT', path, { router: kind })).status).toBe(403);
      expect((await net(admin, 'PUT', path, { router: kind })).status).toBe(400);
    }
    const changed = await net(actor, 'PUT', path, { router: { name: 's' } });
    expect(changed.body.router).toMatchObject({ name: 's', revision_number: 2 });
    const stale = await net(actor, 'PUT', path, { router: { name: 't' } }, { 'if-match': 'revision_number=1' });
    expect(stale.status).toBe(412);
    expect((await net(admin, 'GET', path)).body.router).toMatchObject({ distributed: true, ha: false });
    const listed = await net(actor, 'GET', '/routers?name=s&fields=id&fields=name');
    expect(listed.body.routers).toEqual([{ id: made.body.router.id, name: 's' }]);
    // The gateway's port is nobody's.
    expect((await net(actor, 'GET', `/ports?device_id=${made.body.router.id}`)).body.ports).toEqual([]);
    const { body } = await net(admin, 'GET', `/ports?device_id=${made.body.router.id}`);
    expect(body.ports).toMatchObject([{ device_owner: 'network:router_gateway', project_id: '' }]);
    expect((await net(admin, 'DELETE', `/ports/${body.ports[0].id}`)).body.NeutronError.type).toBe('ServicePortInUse');
    expect((await net(actor, 'DELETE', path)).status).toBe(204);
    expect((await net(actor, 'GET', path)).body.NeutronError.type).toBe('RouterNotFound');
    expect((await net(admin, 'GET', `/ports/${body.ports[0].id}`)).status).toBe(404);
  });

  it('gets, changes and loses its gateway', async () => {
    const [one, two] = [await newExternal(admin), await newExternal(admin, { cidr: '198.51.100.0/24' })];
    const id = await newRouter(admin);
    const set = async (external_gateway_info: unknown) =>
      (await net(admin, 'PUT', `/routers/${id}`, { router: { external_gateway_info } })).body;
    const fixed = [{ subnet_id: one.subnetId, ip_address: '192.0.2.50' }];
    const gateway = { network_id: one.networkId, enable_snat: false, external_fixed_ips: fixed };
    expect((await set(gateway)).router.external_gateway_info).toEqual(gateway);
    const moved = [{ subnet_id: one.subnetId, ip_address: '192.0.2.51' }];
    expect((await set({ network_id: one.networkId, external_fixed_ips: moved })).router.external_gateway_info).toEqual({
      network_id: one.networkId,
      enable_snat: true,
      external_fixed_ips: moved,
    });
    expect((await set({ network_id: two.networkId })).router.external_gateway_info.network_id).toBe(two.networkId);
    expect((await set({})).router.external_gateway_info).toBeNull();
    const inside = await newNetwork(admin);
    expect((await set({ network_id: inside.networkId })).NeutronError.message).toContain('not an external network');
    const hop = { network_id: one.networkId, external_fixed_ips: [{ ip_address: '192.0.2.1' }] };
    expect((await set(hop)).NeutronError.message).toContain('the same as the gateway IP');
    expect((await set({ network_id: crypto.randomUUID() })).NeutronError.type).toBe('NetworkNotFound');
  });

  it('is the gateway of subnets while they are joined to it', async () => {
    const actor = await newMember();
    const id = await newRouter(actor);
    const { networkId, subnetId } = await newNetwork(actor);
    const [status, joined] = await add(actor, id, { subnet_id: subnetId });
    expect([status, joined]).toEqual([
      200,
      {
        id,
        tenant_id: actor.projectId,
        port_id: expect.any(String),
        network_id: networkId,
        subnet_id: subnetId,
        subnet_ids: [subnetId],
      },
    ]);
    const { port } = (await net(actor, 'GET', `/ports/${joined.port_id}`)).body;
    expect(port).toMatchObject({
      device_id: id,
      device_owner: 'network:router_interface',
      fixed_ips: [{ subnet_id: subnetId, ip_address: '10.20.0.1' }],
      security_groups: [],
    });
    const type = async (method: string, path: string, body?: unknown) =>
      (await net(actor, method, path, body)).body.NeutronError.type;
    expect(await type('DELETE', `/ports/${port.id}`)).toBe('ServicePortInUse');
    expect(await type('DELETE', `/routers/${id}`)).toBe('RouterInUse');
    expect(await type('DELETE', `/subnets/${subnetId}`)).toBe('SubnetInUse');
    expect(await type('DELETE', `/networks/${networkId}`)).toBe('NetworkInUse');
    const moved = {
      subnet: { gateway_ip: '10.20.0.254', allocation_pools: [{ start: '10.20.0.2', end: '10.20.0.9' }] },
    };
    expect(await type('PUT', `/subnets/${subnetId}`, moved)).toBe('GatewayIpInUse');
    expect(await type('PUT', `/ports/${port.id}`, { port: { device_id: '' } })).toBe('PortInUse');
    expect(await remove(actor, id, { subnet_id: subnetId })).toEqual([200, joined]);
    expect(await remove(actor, id, { subnet_id: subnetId })).toEqual([404, 'RouterInterfaceNotFoundForSubnet']);
    expect(await remove(actor, id, { port_id: port.id })).toEqual([404, 'RouterInterfaceNotFound']);
    expect((await net(actor, 'DELETE', `/routers/${id}`)).status).toBe(204);
  });

  it('takes a port, and refuses what it cannot have', async () => {
    const actor = await newMember();
    const id = await newRouter(actor);
    const one = await newNetwork(actor);
    const overlapping = await newNetwork(actor, { cidr: '10.20.0.0/25' });
    const { port } = (await net(actor, 'POST', '/ports', { port: { network_id: one.networkId } })).body;
    expect((await add(actor, id, { port_id: port.id }))[0]).toBe(200);
    expect(await add(actor, id, { port_id: port.id })).toEqual([409, 'PortInUse']);
    expect(await add(actor, id, { subnet_id: one.subnetId })).toEqual([400, 'BadRequest']);
    expect(await add(actor, id, { subnet_id: overlapping.subnetId })).toEqual([400, 'BadRequest']);
    expect(await add(actor, id, { port_id: port.id, subnet_id: one.subnetId })).toEqual([400, 'BadRequest']);
    expect(await add(actor, id, {})).toEqual([400, 'BadRequest']);
    expect(await add(actor, id, { subnet_id: 'x' })).toEqual([400, 'BadRequest']);
    expect(await remove(actor, id, { port_id: port.id, subnet_id: overlapping.subnetId })).toEqual([
      409,
      'SubnetMismatchForPort',
    ]);
    const gatewayless = await newNetwork(actor, { cidr: '10.30.0.0/24', subnet: { gateway_ip: null } });
    expect(await add(actor, id, { subnet_id: gatewayless.subnetId })).toEqual([400, 'BadRequest']);
    expect((await remove(actor, id, { port_id: port.id, subnet_id: one.subnetId }))[0]).toBe(200);
  });

  it("is no other project's: neither by a port that says so, nor on a network that is only shared", async () => {
    const [owner, other] = [await newMember(), await newMember()];
    const { id } = await pluggedIn(owner);
    const { networkId } = await newNetwork(other, { cidr: '10.66.0.0/24' });
    for (const device_owner of ['network:router_interface', 'network:router_gateway', 'network:floatingip']) {
      const port = { network_id: networkId, device_id: id, device_owner };
      expect((await net(other, 'POST', '/ports', { port })).body.NeutronError.type).toBe('DeviceIDNotOwnedByTenant');
      const made = await net(other, 'POST', '/ports', { port: { network_id: networkId } });
      const update = await net(other, 'PUT', `/ports/${made.body.port.id}`, { port: { device_id: id, device_owner } });
      expect(update.body.NeutronError.type).toBe('DeviceIDNotOwnedByTenant');
    }
    const shared = await newNetwork(admin, { shared: true, cidr: '10.67.0.0/24' });
    const own = await newRouter(other);
    expect(await add(other, own, { subnet_id: shared.subnetId })).toEqual([403, 'PolicyNotAuthorized']);
    const onShared = await net(other, 'POST', '/ports', { port: { network_id: shared.networkId } });
    expect(await add(other, own, { port_id: onShared.body.port.id })).toEqual([403, 'PolicyNotAuthorized']);
  });

  it('has one port for the IPv6 subnets of a network', async () => {
    const actor = await newMember();
    const { id, networkId, joined } = await pluggedIn(actor, { cidr: 'fd00:1::/64' });
    const more = await net(actor, 'POST', '/subnets', {
      subnet: { network_id: networkId, ip_version: 6, cidr: 'fd00:2::/64' },
    });
    const [, second] = await add(actor, id, { subnet_id: more.body.subnet.id });
    expect(second.port_id).toBe(joined.port_id);
    expect((await remove(actor, id, { subnet_id: more.body.subnet.id }))[0]).toBe(200);
    const { port } = (await net(actor, 'GET', `/ports/${joined.port_id}`)).body;
    expect(port.fixed_ips).toEqual([{ subnet_id: joined.subnet_id, ip_address: 'fd00:1::1' }]);
  });

  it('has extra routes to next hops that it reaches', async () => {
    const actor = await newMember();
    const { id, joined } = await pluggedIn(actor);
    const routes = (list: unknown) => put(actor, id, '', { router: { routes: list } });
    const route = { destination: '10.99.0.0/16', nexthop: '10.20.0.9' };
    expect((await routes([route]))[1].router.routes).toEqual([route]);
    expect(await routes([{ ...route, nexthop: '10.21.0.9' }])).toEqual([400, 'InvalidRoutes']);
    expect(await routes([{ ...route, nexthop: '10.20.0.1' }])).toEqual([400, 'InvalidRoutes']);
    expect(await remove(actor, id, { subnet_id: joined.subnet_id })).toEqual([409, 'RouterInterfaceInUseByRoute']);
    const more = Array.from({ length: 8 }, (_, at) => ({ destination: `10.98.${at}.0/24`, nexthop: '10.20.0.9' }));
    await Promise.all(more.map((one) => put(actor, id, '/add_extraroutes', { router: { routes: [one, route] } })));
    const { router } = (await net(actor, 'GET', `/routers/${id}`)).body;
    expect(router.routes).toHaveLength(9);
    const [, left] = await put(actor, id, '/remove_extraroutes', { router: { routes: more } });
    expect(left.router.routes).toEqual([route]);
    const many = Array.from({ length: 31 }, (_, at) => ({ destination: `10.97.${at}.0/24`, nexthop: '10.20.0.9' }));
    expect(await routes(many)).toEqual([400, 'RoutesExhausted']);
    expect((await routes(null))[1].router.routes).toEqual([]);
  });

  it('joins each subnet once, whatever races, and has as many as the quota says', async () => {
    const actor = await newMember();
    const id = await newRouter(actor);
    const subnets = await Promise.all(Array.from({ length: 6 }, () => newNetwork(actor)));
    const answers = await Promise.all(subnets.map(({ subnetId }) => add(actor, id, { subnet_id: subnetId })));
    expect(answers.map(([status]) => status).sort()).toEqual([200, 400, 400, 400, 400, 400]);
    const made = await Promise.all(Array.from({ length: 12 }, () => net(actor, 'POST', '/routers', { router: {} })));
    expect(made.filter(({ status }) => status === 201)).toHaveLength(9);
    expect(made.filter(({ body }) => body.NeutronError?.type === 'OverQuota')).toHaveLength(3);
  });
});
