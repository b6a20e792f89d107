import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { type NetActor, net, newMember, newNetwork, runnerRow, testDatabase } from '../../../test/edge-network.ts';
import { newExternal, newRouter, pluggedIn, plugIn } from '../../../test/edge-routers.ts';
import { boot, contextOf, held, observe, run } from '../../../test/edge-server-ports.ts';
import { type Actor, mintActor } from '../../../test/edge-tokens.ts';
import { commitEffects } from '../../fleet/link/record-observed.ts';
import { observers } from '../../fleet/observers.ts';
import {
  bindServerPorts,
  detachServerPort,
  dropServerPorts,
  moveServerPorts,
  putServerPorts,
  releaseServerPorts,
  takePortsFrom,
  unbindServerPorts,
} from '../server-ports.ts';

let admin: Actor;
beforeAll(async () => {
  admin = await mintActor('admin');
});

const call = async (actor: NetActor, method: string, path: string, floatingip?: object) => {
  const { status, body } = await net(actor, method, `/floatingips${path}`, floatingip && { floatingip });
  return { status, type: body?.NeutronError?.type, message: body?.NeutronError?.message, fip: body?.floatingip };
};

/** A tenant's network behind a router with a gateway. */
async function world() {
  const actor = await newMember();
  const external = await newExternal(admin);
  const inside = await pluggedIn(actor, { external: external.networkId });
  const port = async () => (await net(actor, 'POST', '/ports', { port: { network_id: inside.networkId } })).body.port;
  const create = (values: object = {}) =>
    call(actor, 'POST', '', { floating_network_id: external.networkId, ...values });
  const show = async (id: string) => (await call(actor, 'GET', `/${id}`)).fip;
  return { actor, external, inside, port, create, show };
}

describe('a floating IP', () => {
  it('is made, led to a port, to another one and to none, and given back', async () => {
    const { actor, external, inside, port, create, show } = await world();
    const [a, b] = [await port(), await port()];
    const { status, fip } = await create({ port_id: a.id, description: 'd' });
    expect(status).toBe(201);
    expect(fip).toMatchObject({
      floating_network_id: external.networkId,
      floating_ip_address: expect.stringMatching(/^192\.0\.2\./),
      port_id: a.id,
      fixed_ip_address: a.fixed_ips[0].ip_address,
      router_id: inside.id,
      status: 'DOWN',
      project_id: actor.projectId,
      description: 'd',
      port_details: { mac_address: a.mac_address, network_id: inside.networkId, device_owner: '' },
      port_forwardings: [],
    });
    const listed = await net(actor, 'GET', `/floatingips?port_id=${a.id}`);
    expect(listed.body.floatingips).toEqual([fip]);
    const moved = await call(actor, 'PUT', `/${fip.id}`, { port_id: b.id });
    expect(moved.fip).toMatchObject({ port_id: b.id, fixed_ip_address: b.fixed_ips[0].ip_address });
    expect((await call(actor, 'PUT', `/${fip.id}`, { description: 'e' })).fip).toMatchObject({ port_id: b.id });
    expect((await call(actor, 'PUT', `/${fip.id}`, {})).fip).toMatchObject({ port_id: null });
    const none = { port_id: null, fixed_ip_address: null, router_id: null, port_details: null };
    expect((await call(actor, 'PUT', `/${fip.id}`, { port_id: null })).fip).toMatchObject(none);
    expect((await call(actor, 'PUT', `/${fip.id}`, { port_id: a.id })).fip).toMatchObject({ port_id: a.id });
    expect((await net(actor, 'DELETE', `/ports/${a.id}`)).status).toBe(204);
    expect(await show(fip.id)).toMatchObject(none);
    const own = await net(admin, 'GET', `/ports?device_id=${fip.id}`);
    expect(own.body.ports).toMatchObject([{ device_owner: 'network:floatingip', project_id: '' }]);
    expect((await call(actor, 'DELETE', `/${fip.id}`)).status).toBe(204);
    expect((await call(actor, 'GET', `/${fip.id}`)).type).toBe('FloatingIPNotFound');
    expect((await net(admin, 'GET', `/ports?device_id=${fip.id}`)).body.ports).toEqual([]);
  });

  it('is a certain address, or one of a subnet', async () => {
    const { external } = await world();
    const make = (values: object) => call(admin, 'POST', '', { floating_network_id: external.networkId, ...values });
    expect((await make({ floating_ip_address: '192.0.2.77' })).fip.floating_ip_address).toBe('192.0.2.77');
    expect((await make({ floating_ip_address: '192.0.2.77' })).type).toBe('IpAddressAlreadyAllocated');
    const more = { network_id: external.networkId, ip_version: 4, cidr: '198.51.100.0/24' };
    const { subnet } = (await net(admin, 'POST', '/subnets', { subnet: more })).body;
    expect((await make({ subnet_id: subnet.id })).fip.floating_ip_address).toMatch(/^198\.51\.100\./);
    const inside = await newNetwork(admin);
    expect((await call(admin, 'POST', '', { floating_network_id: inside.networkId })).status).toBe(400);
  });

  it('is refused where no router leads there, or the address is not to be had', async () => {
    const { actor, inside, port, create } = await world();
    const lonely = await newNetwork(actor, { cidr: '10.40.0.0/24' });
    const { port: off } = (await net(actor, 'POST', '/ports', { port: { network_id: lonely.networkId } })).body;
    expect((await create({ port_id: off.id })).type).toBe('ExternalGatewayForFloatingIPNotFound');
    const a = await port();
    expect((await create({ port_id: a.id })).status).toBe(201);
    const twice = await create({ port_id: a.id });
    expect([twice.status, twice.type]).toEqual([409, 'FloatingIPPortAlreadyAssociated']);
    expect((await create({ port_id: a.id, fixed_ip_address: '10.20.0.250' })).message).toContain(
      'does not have fixed ip',
    );
    expect((await create({ fixed_ip_address: '10.20.0.9' })).message).toContain('without a port_id');
    const fixed_ips = [{ subnet_id: inside.subnetId }, { subnet_id: inside.subnetId }];
    const { port: both } = (await net(actor, 'POST', '/ports', { port: { network_id: inside.networkId, fixed_ips } }))
      .body;
    expect((await create({ port_id: both.id })).message).toContain('multiple fixed IPv4 addresses');
    const second = both.fixed_ips[1].ip_address;
    expect((await create({ port_id: both.id, fixed_ip_address: second })).fip.fixed_ip_address).toBe(second);
    // A port of another's on the own network is seen, and is not to be led to.
    const stranger = await newMember();
    const theirPort = { network_id: inside.networkId, project_id: stranger.projectId };
    const { port: foreign } = (await net(admin, 'POST', '/ports', { port: theirPort })).body;
    expect((await create({ port_id: foreign.id })).message).toContain('owned by a different tenant');
    expect((await call(stranger, 'POST', '', { floating_network_id: crypto.randomUUID() })).status).toBe(404);
    const theirs = await net(stranger, 'POST', '/ports', { port: { network_id: inside.networkId } });
    expect(theirs.status).toBe(404);
  });

  it('goes with its network while it leads nowhere', async () => {
    const actor = await newMember();
    const { networkId } = await newExternal(admin);
    const path = `/networks/${networkId}`;
    const { fip } = await call(actor, 'POST', '', { floating_network_id: networkId });
    const held = (await net(admin, 'POST', '/ports', { port: { network_id: networkId } })).body.port.id;
    expect((await net(admin, 'DELETE', path)).status).toBe(409);
    expect((await call(actor, 'GET', `/${fip.id}`)).status).toBe(200);
    await net(admin, 'DELETE', `/ports/${held}`);
    expect((await net(admin, 'DELETE', path)).status).toBe(204);
    expect((await call(actor, 'GET', `/${fip.id}`)).status).toBe(404);
  });

  it('keeps its network while it leads to a port', async () => {
    const { external, port, create } = await world();
    const { status } = await create({ port_id: (await port()).id });
    expect(status).toBe(201);
    expect((await net(admin, 'DELETE', `/networks/${external.networkId}`)).status).toBe(409);
  });

  it('keeps its router, its interface and its gateway', async () => {
    const { actor, inside, port, create } = await world();
    const a = await port();
    const { fip } = await create({ port_id: a.id });
    const gone = { router: { external_gateway_info: null } };
    const update = await net(actor, 'PUT', `/routers/${inside.id}`, gone);
    expect(update.body.NeutronError.type).toBe('RouterExternalGatewayInUseByFloatingIp');
    const interfacePath = `/routers/${inside.id}/remove_router_interface`;
    const removal = await net(actor, 'PUT', interfacePath, { subnet_id: inside.subnetId });
    expect(removal.body.NeutronError.type).toBe('RouterInterfaceInUseByFloatingIP');
    await call(actor, 'PUT', `/${fip.id}`, { port_id: null });
    expect((await net(actor, 'PUT', interfacePath, { subnet_id: inside.subnetId })).status).toBe(200);
    expect((await net(actor, 'PUT', `/routers/${inside.id}`, gone)).status).toBe(200);
  });

  it('is one of an address, whatever races, and counts for the quota', async () => {
    const { port, create, actor } = await world();
    const a = await port();
    const made = await Promise.all(Array.from({ length: 6 }, () => create({ port_id: a.id })));
    expect(made.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
    await net(admin, 'PUT', `/quotas/${actor.projectId}`, { quota: { floatingip: 3 } });
    const more = await Promise.all(Array.from({ length: 4 }, () => create()));
    expect(more.map(({ status, type }) => type ?? status).sort()).toEqual([201, 201, 'OverQuota', 'OverQuota']);
  });
});

describe('the host of a floating IP', () => {
  const onHost = async (host: string, id: string) => (await held(host)).live.get(`floating-ip ${id}`);

  it('is that of its port, wherever that goes', async () => {
    const { actor, external, inside, create, show } = await world();
    const [one, two] = [await runnerRow(), await runnerRow()];
    const ctx = contextOf(actor);
    const server = await boot(ctx, one, { requests: [{ networkId: inside.networkId }] });
    const [portId] = server.portIds as [string];
    const { fip } = await create({ port_id: portId });
    expect(await onHost(one, fip.id)).toEqual({
      id: fip.id,
      floating_ip_address: fip.floating_ip_address,
      external_network_id: external.networkId,
      router_id: inside.id,
      port_id: portId,
      network_id: inside.networkId,
      fixed_ip_address: fip.fixed_ip_address,
      qos: null,
    });
    const report = async (host: string, state: 'applied' | 'absent') => {
      const generation = (await held(host)).generations.get(`floating-ip ${fip.id}`) ?? 0;
      const observation = { kind: 'floating-ip' as const, id: fip.id, generation, state };
      await commitEffects(ctx, [observers['floating-ip'](ctx, host, observation)]);
      return (await show(fip.id)).status;
    };
    expect(await report(two, 'applied')).toBe('DOWN');
    expect(await report(one, 'applied')).toBe('ACTIVE');
    // Moved: until then it stays where it is.
    const put = putServerPorts(ctx, server.serverId, two);
    await run(ctx, put);
    expect([await onHost(one, fip.id), await onHost(two, fip.id)]).toEqual([expect.anything(), undefined]);
    const move = [takePortsFrom(ctx, server.serverId, one), ...moveServerPorts(ctx, server.serverId, two)];
    await run(ctx, { statements: move, touches: sql`(runners.id = ${one} OR ${put.touches})` });
    expect([await onHost(one, fip.id), await onHost(two, fip.id)]).toEqual([undefined, expect.anything()]);
    expect(await report(two, 'applied')).toBe('ACTIVE');
    // Shelved, and back.
    await run(ctx, unbindServerPorts(ctx, server.serverId));
    expect([await onHost(two, fip.id), (await show(fip.id)).status]).toEqual([undefined, 'DOWN']);
    const db = testDatabase();
    await db.run(sql`UPDATE ports SET runner_id = ${one} WHERE id = ${portId}`);
    const bound = bindServerPorts(ctx, server.serverId, one);
    await run(ctx, bound);
    expect(await onHost(one, fip.id)).toBeDefined();
    // Gone with the server.
    await run(ctx, dropServerPorts(ctx, server.serverId));
    expect(await onHost(one, fip.id)).toBeUndefined();
    await observe(one, portId, 'absent');
    await run(ctx, releaseServerPorts(ctx, server.serverId));
    expect(await show(fip.id)).toMatchObject({ port_id: null, router_id: null, status: 'DOWN' });
  });

  it('changes with the port that it leads to, in one step', async () => {
    const { actor, inside, create } = await world();
    const [one, two] = [await runnerRow(), await runnerRow()];
    const ctx = contextOf(actor);
    const requests = [{ networkId: inside.networkId }];
    const [a, b] = [await boot(ctx, one, { requests }), await boot(ctx, two, { requests })];
    const { fip } = await create({ port_id: a.portIds[0] });
    await call(actor, 'PUT', `/${fip.id}`, { port_id: b.portIds[0] });
    expect([await onHost(one, fip.id), await onHost(two, fip.id)]).toEqual([undefined, expect.anything()]);
    await run(ctx, detachServerPort(ctx, b.portIds[0] ?? ''));
    expect(await onHost(two, fip.id)).toBeUndefined();
    await call(actor, 'PUT', `/${fip.id}`, { port_id: a.portIds[0] });
    expect((await call(actor, 'DELETE', `/${fip.id}`)).status).toBe(204);
    expect(await onHost(one, fip.id)).toBeUndefined();
  });

  it('comes with a server that takes the port', async () => {
    const { actor, port, create } = await world();
    const a = await port();
    const { fip } = await create({ port_id: a.id });
    const host = await runnerRow();
    const server = await boot(contextOf(actor), host, { requests: [{ portId: a.id }] });
    expect(await onHost(host, fip.id)).toBeDefined();
    const ctx = contextOf(actor);
    await run(ctx, dropServerPorts(ctx, server.serverId));
    await run(ctx, releaseServerPorts(ctx, server.serverId));
    expect((await call(actor, 'GET', `/${fip.id}`)).fip).toMatchObject({ port_id: a.id, status: 'DOWN' });
  });
});

it('leads by the router that is the gateway of the subnet, where there are two', async () => {
  const { actor, external, inside, port, create } = await world();
  const other = await newRouter(actor, external.networkId);
  const { port: second } = (await net(actor, 'POST', '/ports', { port: { network_id: inside.networkId } })).body;
  await net(actor, 'PUT', `/routers/${other}/add_router_interface`, { port_id: second.id });
  expect((await create({ port_id: (await port()).id })).fip.router_id).toBe(inside.id);
  const more = await newNetwork(actor, { cidr: '10.41.0.0/24' });
  await plugIn(actor, other, more.subnetId);
});

it('is limited by a policy of its own, as its host is told, also of changes', async () => {
  const { actor, inside, create } = await world();
  const values = { name: 'p', project_id: actor.projectId };
  const { policy } = (await net(admin, 'POST', '/qos/policies', { policy: values })).body;
  const rules = `/qos/policies/${policy.id}/bandwidth_limit_rules`;
  const limit = (max_kbps: number) => ({ bandwidth_limit_rule: { max_kbps } });
  const { bandwidth_limit_rule: rule } = (await net(admin, 'POST', rules, limit(1000))).body;
  const host = await runnerRow();
  const server = await boot(contextOf(actor), host, { requests: [{ networkId: inside.networkId }] });
  const { fip } = await create({ port_id: server.portIds[0], qos_policy_id: policy.id });
  const qos = async () => (await held(host)).live.get(`floating-ip ${fip.id}`)?.qos;
  expect(await qos()).toMatchObject({ egress_kbps: 1000 });
  await net(admin, 'PUT', `${rules}/${rule.id}`, limit(2000));
  expect(await qos()).toMatchObject({ egress_kbps: 2000 });
  expect((await net(admin, 'DELETE', `/qos/policies/${policy.id}`)).body.NeutronError.type).toBe('QosPolicyInUse');
  await call(actor, 'PUT', `/${fip.id}`, { qos_policy_id: null });
  expect(await qos()).toBeNull();
});

it('keeps its network outside', async () => {
  const { external, create } = await world();
  const inside = { network: { 'router:external': false } };
  const change = await net(admin, 'PUT', `/networks/${external.networkId}`, inside);
  expect(change.body.NeutronError.type).toBe('ExternalNetworkInUse');
  expect((await create()).status).toBe(201);
});
