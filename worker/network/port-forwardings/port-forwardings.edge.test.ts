import { eq } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { runners } from '../../../db/schema/fleet.ts';
import { net, newMember, runnerRow, testDatabase } from '../../../test/edge-network.ts';
import { newExternal, pluggedIn } from '../../../test/edge-routers.ts';
import { boot, contextOf, held, observe, run } from '../../../test/edge-server-ports.ts';
import { type Actor, mintActor } from '../../../test/edge-tokens.ts';
import { commitEffects } from '../../fleet/link/record-observed.ts';
import { observers } from '../../fleet/observers.ts';
import { dropServerPorts, releaseServerPorts } from '../server-ports.ts';

let admin: Actor;
beforeAll(async () => {
  admin = await mintActor('admin');
});

/** A tenant's network behind a router, and a floating IP of which nothing is forwarded yet. */
async function world() {
  const actor = await newMember();
  const external = await newExternal(admin);
  const inside = await pluggedIn(actor, { external: external.networkId });
  const floatingip = { floating_network_id: external.networkId };
  const fip = async () => (await net(actor, 'POST', '/floatingips', { floatingip })).body.floatingip;
  const port = async () => (await net(actor, 'POST', '/ports', { port: { network_id: inside.networkId } })).body.port;
  const { id, floating_ip_address: address } = await fip();
  const call = async (method: string, path: string, port_forwarding?: object, of = id) => {
    const body = port_forwarding && { port_forwarding };
    const answer = await net(actor, method, `/floatingips/${of}/port_forwardings${path}`, body);
    return { status: answer.status, type: answer.body?.NeutronError?.type, forward: answer.body?.port_forwarding };
  };
  const add = (portId: string, internal: number, external: number, more: object = {}, of = id) =>
    call(
      'POST',
      '',
      { internal_port_id: portId, internal_port: internal, external_port: external, protocol: 'tcp', ...more },
      of,
    );
  const show = async () => (await net(actor, 'GET', `/floatingips/${id}`)).body.floatingip;
  return { actor, external, inside, id, address, fip, port, call, add, show };
}

describe('forwarded ports', () => {
  it('are made, shown, changed and removed', async () => {
    const { actor, id, inside, port, call, add, show } = await world();
    const a = await port();
    const made = await add(a.id, 80, 8080, { description: 'web' });
    expect([made.status, made.forward]).toEqual([
      201,
      {
        id: expect.any(String),
        description: 'web',
        protocol: 'tcp',
        internal_port_id: a.id,
        internal_ip_address: a.fixed_ips[0].ip_address,
        internal_port: 80,
        internal_port_range: '80:80',
        external_port: 8080,
        external_port_range: '8080:8080',
      },
    ]);
    expect(await show()).toMatchObject({
      router_id: inside.id,
      port_id: null,
      port_forwardings: [{ id: made.forward.id, internal_port: 80, external_port: 8080, protocol: 'tcp' }],
    });
    expect((await call('PUT', `/${made.forward.id}`, { internal_port: 81 })).forward).toMatchObject({
      internal_port: 81,
      external_port: 8080,
    });
    const ranges = {
      internal_port: null,
      external_port: null,
      internal_port_range: '90:99',
      external_port_range: '9090:9099',
    };
    const many = await call('POST', '', { internal_port_id: a.id, protocol: 'udp', ...ranges });
    expect(many.forward).toMatchObject({ internal_port: null, external_port_range: '9090:9099' });
    const listed = await net(actor, 'GET', `/floatingips/${id}/port_forwardings?protocol=udp&fields=id`);
    expect(listed.body.port_forwardings).toEqual([{ id: many.forward.id }]);
    expect((await net(actor, 'DELETE', `/floatingips/${id}`)).body.NeutronError.type).toBe('FipInUseByPortForwarding');
    const gateway = await net(actor, 'PUT', `/routers/${inside.id}`, { router: { external_gateway_info: null } });
    expect(gateway.body.NeutronError.type).toBe('RouterExternalGatewayInUseByFloatingIp');
    const away = { subnet_id: inside.subnetId };
    const removal = await net(actor, 'PUT', `/routers/${inside.id}/remove_router_interface`, away);
    expect(removal.body.NeutronError.type).toBe('RouterInterfaceInUseByFloatingIP');
    for (const one of [made, many]) expect((await call('DELETE', `/${one.forward.id}`)).status).toBe(204);
    expect((await call('GET', `/${made.forward.id}`)).type).toBe('PortForwardingNotFound');
    expect(await show()).toMatchObject({ router_id: null, port_forwardings: [] });
    expect((await net(actor, 'DELETE', `/floatingips/${id}`)).status).toBe(204);
  });

  it('lead each port to one place, and each place has one port, whatever races', async () => {
    const { port, add, fip, show } = await world();
    const [a, b] = [await port(), await port()];
    expect((await add(a.id, 80, 8080)).status).toBe(201);
    expect((await add(b.id, 81, 8080)).type).toBe('BadRequest');
    expect((await add(a.id, 80, 8081)).type).toBe('BadRequest');
    expect((await add(a.id, 80, 8082, {}, (await fip()).id)).type).toBe('BadRequest');
    expect((await add(a.id, 80, 8080, { protocol: 'udp' })).status).toBe(201);
    const range = { external_port: null, external_port_range: '8079:8090' };
    expect((await add(b.id, 82, 0, range)).type).toBe('BadRequest');
    const racing = await Promise.all(Array.from({ length: 5 }, (_, at) => add(b.id, 100 + at, 9000)));
    expect(racing.map(({ status }) => status).sort()).toEqual([201, 400, 400, 400, 400]);
    expect((await show()).port_forwardings).toHaveLength(3);
  });

  it('and a floating IP of a port by itself keep out of each other', async () => {
    const { actor, id, port, add, fip } = await world();
    const [a, b] = [await port(), await port()];
    const other = await fip();
    const lead = (portId: string | null, of = other.id) =>
      net(actor, 'PUT', `/floatingips/${of}`, { floatingip: { port_id: portId } });
    expect((await lead(a.id)).status).toBe(200);
    expect((await add(a.id, 80, 8080)).type).toBe('PortHasBindingFloatingIP');
    expect((await add(b.id, 80, 8080, {}, other.id)).type).toBe('FloatingIPPortAlreadyAssociated');
    expect((await add(b.id, 80, 8080)).status).toBe(201);
    expect((await lead(b.id)).body.NeutronError.type).toBe('PortHasPortForwarding');
    expect((await lead((await port()).id, id)).body.NeutronError.type).toBe('FipInUseByPortForwarding');
  });
});

describe('the hosts of forwarded ports', () => {
  it('are one that holds the address, and those of the guests; all know who it is', async () => {
    const { actor, inside, external, id, address, add, show } = await world();
    const hosts = [await runnerRow(), await runnerRow()] as const;
    for (const [at, host] of hosts.entries()) {
      await testDatabase()
        .update(runners)
        .set({ tunnelIp: `192.0.2.${at + 1}` })
        .where(eq(runners.id, host));
    }
    const ctx = contextOf(actor);
    const requests = [{ networkId: inside.networkId }];
    const [a, b] = [await boot(ctx, hosts[0], { requests }), await boot(ctx, hosts[1], { requests })];
    const [one, two] = [await add(a.portIds[0] ?? '', 80, 8080), await add(b.portIds[0] ?? '', 80, 8081)];
    const specOn = async (host: string, of: string) => (await held(host)).live.get(`port-forwarding ${of}`);
    expect(await specOn(hosts[0], one.forward.id)).toEqual({
      id: one.forward.id,
      floating_ip_id: id,
      floating_ip_address: address,
      external_network_id: external.networkId,
      router_id: inside.id,
      protocol: 'tcp',
      external_ports: [8080, 8080],
      internal_ports: [80, 80],
      port_id: a.portIds[0],
      network_id: inside.networkId,
      mac_address: expect.any(String),
      internal_ip_address: one.forward.internal_ip_address,
      holder: true,
      holder_tunnel_ip: '192.0.2.1',
      qos: null,
    });
    // The first guest's host has the address: it knows both, the other host its own guest's.
    expect((await held(hosts[0])).kinds('port-forwarding')).toEqual([one.forward.id, two.forward.id].sort());
    expect((await held(hosts[1])).kinds('port-forwarding')).toEqual([two.forward.id]);
    expect(await specOn(hosts[1], two.forward.id)).toMatchObject({ holder: false, holder_tunnel_ip: '192.0.2.1' });
    const generation = (await held(hosts[0])).generations.get(`port-forwarding ${one.forward.id}`) ?? 0;
    const observation = { kind: 'port-forwarding' as const, id: one.forward.id, generation, state: 'applied' as const };
    await commitEffects(ctx, [observers['port-forwarding'](ctx, hosts[1], observation)]);
    expect((await show()).status).toBe('DOWN');
    await commitEffects(ctx, [observers['port-forwarding'](ctx, hosts[0], observation)]);
    expect((await show()).status).toBe('ACTIVE');
    // It goes with its guest: the address is the other host's now.
    await run(ctx, dropServerPorts(ctx, a.serverId));
    await observe(hosts[0], a.portIds[0] ?? '', 'absent');
    await run(ctx, releaseServerPorts(ctx, a.serverId));
    expect((await held(hosts[0])).kinds('port-forwarding')).toEqual([]);
    expect(await specOn(hosts[1], two.forward.id)).toMatchObject({ holder: true, holder_tunnel_ip: '192.0.2.2' });
    expect((await show()).port_forwardings).toMatchObject([{ id: two.forward.id }]);
    await run(ctx, dropServerPorts(ctx, b.serverId));
    await run(ctx, releaseServerPorts(ctx, b.serverId));
    expect((await held(hosts[1])).kinds('port-forwarding')).toEqual([]);
    expect(await show()).toMatchObject({ router_id: null, status: 'DOWN', port_forwardings: [] });
  });

  it('are told of the policy of the address, and of its changes', async () => {
    const { actor, inside, id, add } = await world();
    const values = { name: 'p', project_id: actor.projectId };
    const { policy } = (await net(admin, 'POST', '/qos/policies', { policy: values })).body;
    const host = await runnerRow();
    const server = await boot(contextOf(actor), host, { requests: [{ networkId: inside.networkId }] });
    const { forward } = await add(server.portIds[0] ?? '', 80, 8080);
    const told = async () => {
      const { live, generations } = await held(host);
      const key = `port-forwarding ${forward.id}`;
      return { qos: live.get(key)?.qos, generation: generations.get(key) ?? 0 };
    };
    const give = (qos_policy_id: string | null) =>
      net(actor, 'PUT', `/floatingips/${id}`, { floatingip: { qos_policy_id } });
    const rules = `/qos/policies/${policy.id}/bandwidth_limit_rules`;
    const limit = (max_kbps: number) => ({ bandwidth_limit_rule: { max_kbps, direction: 'ingress' } });
    const { bandwidth_limit_rule: rule } = (await net(admin, 'POST', rules, limit(1000))).body;
    const first = await told();
    expect((await give(policy.id)).status).toBe(200);
    const limited = await told();
    expect(limited.qos).toMatchObject({ ingress_kbps: 1000, egress_kbps: null });
    expect(limited.generation).toBeGreaterThan(first.generation);
    await net(admin, 'PUT', `${rules}/${rule.id}`, limit(2000));
    const changed = await told();
    expect(changed.qos).toMatchObject({ ingress_kbps: 2000 });
    expect(changed.generation).toBeGreaterThan(limited.generation);
    await give(null);
    const free = await told();
    expect(free.qos).toBeNull();
    expect(free.generation).toBeGreaterThan(changed.generation);
  });

  it('lose what leads to an address that the guest no longer has', async () => {
    const { actor, inside, add, show } = await world();
    const host = await runnerRow();
    const server = await boot(contextOf(actor), host, { requests: [{ networkId: inside.networkId }] });
    const { forward } = await add(server.portIds[0] ?? '', 80, 8080);
    expect((await held(host)).kinds('port-forwarding')).toEqual([forward.id]);
    const fixed_ips = [{ subnet_id: inside.subnetId, ip_address: '10.20.0.222' }];
    await net(actor, 'PUT', `/ports/${server.portIds[0]}`, { port: { fixed_ips } });
    expect((await held(host)).kinds('port-forwarding')).toEqual([]);
    expect(await show()).toMatchObject({ router_id: null, port_forwardings: [] });
  });
});
