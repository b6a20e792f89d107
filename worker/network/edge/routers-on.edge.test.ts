import { beforeAll, describe, expect, it } from 'vitest';
import { type NetActor, net, newMember, newNetwork, runnerRow } from '../../../test/edge-network.ts';
import { newExternal, newRouter, pluggedIn, plugIn } from '../../../test/edge-routers.ts';
import { boot, contextOf, held, observe, run } from '../../../test/edge-server-ports.ts';
import { type Actor, mintActor } from '../../../test/edge-tokens.ts';
import {
  dropServerPorts,
  moveServerPorts,
  putServerPorts,
  releaseServerPorts,
  takePortsFrom,
} from '../server-ports.ts';

let admin: Actor;
beforeAll(async () => {
  admin = await mintActor('admin');
});

const on = (networkId: string) => ({ requests: [{ networkId }] });
const unplug = (actor: NetActor, id: string, subnet_id: string) =>
  net(actor, 'PUT', `/routers/${id}/remove_router_interface`, { subnet_id });
const routerOn = async (host: string, id: string) => (await held(host)).live.get(`router ${id}`);
/** A machine's own address outside, by the rows. */
async function snatPort(host: string) {
  const { ports } = (await net(admin, 'GET', `/ports?device_owner=network:floatingip_agent_gateway&device_id=${host}`))
    .body;
  return ports.map((port: { fixed_ips: { ip_address: string }[] }) => port.fixed_ips[0]?.ip_address);
}

describe('the hosts of a router', () => {
  it('are those of its networks; each has all of them, with the one outside', async () => {
    const actor = await newMember();
    const external = await newExternal(admin);
    const { id, networkId, subnetId } = await pluggedIn(actor, { external: external.networkId });
    const [one, two] = [await runnerRow(), await runnerRow()];
    await boot(contextOf(actor), one, on(networkId));
    const spec = await routerOn(one, id);
    const [snat] = await snatPort(one);
    expect(spec).toEqual({
      id,
      admin_state_up: true,
      interfaces: [{ network_id: networkId, subnet_id: subnetId, ip_address: '10.20.0.1' }],
      routes: [],
      gateway: { network_id: external.networkId, enable_snat: true, snat_ip: snat, next_hops: ['192.0.2.1'] },
    });
    expect(snat).toMatch(/^192\.0\.2\.\d+$/);
    expect((await held(one)).kinds('network')).toEqual([networkId, external.networkId].sort());
    expect((await held(two)).live.size).toBe(0);
    // Another network joins: both hosts have everything.
    const second = await newNetwork(actor, { cidr: '10.21.0.0/24' });
    await boot(contextOf(actor), two, on(second.networkId));
    expect(await routerOn(two, id)).toBeUndefined();
    await plugIn(actor, id, second.subnetId);
    const all = [networkId, second.networkId, external.networkId].sort();
    for (const host of [one, two]) {
      expect((await held(host)).kinds('network')).toEqual(all);
      expect((await routerOn(host, id))?.interfaces).toHaveLength(2);
      expect(await snatPort(host)).toHaveLength(1);
    }
    expect(await snatPort(one)).not.toEqual(await snatPort(two));
    // And leaves.
    expect((await unplug(actor, id, second.subnetId)).status).toBe(200);
    expect((await held(two)).kinds('network')).toEqual([second.networkId]);
    expect(await routerOn(two, id)).toBeUndefined();
    expect(await snatPort(two)).toEqual([]);
    expect((await held(one)).kinds('network')).toEqual([networkId, external.networkId].sort());
  });

  it('follow the guests: made, moved, gone', async () => {
    const actor = await newMember();
    const external = await newExternal(admin);
    const { id, networkId } = await pluggedIn(actor, { external: external.networkId });
    const [one, two] = [await runnerRow(), await runnerRow()];
    const ctx = contextOf(actor);
    const server = await boot(ctx, one, on(networkId));
    const toTwo = putServerPorts(ctx, server.serverId, two);
    await run(ctx, toTwo);
    expect(await routerOn(two, id)).toBeDefined();
    await run(ctx, {
      statements: [takePortsFrom(ctx, server.serverId, one), ...moveServerPorts(ctx, server.serverId, two)],
      touches: toTwo.touches,
    });
    for (const port of server.portIds) await observe(one, port, 'absent');
    expect((await held(one)).live.size).toBe(0);
    expect(await snatPort(one)).toEqual([]);
    expect(await snatPort(two)).toHaveLength(1);
    await run(ctx, dropServerPorts(ctx, server.serverId));
    for (const port of server.portIds) await observe(two, port, 'absent');
    await run(ctx, releaseServerPorts(ctx, server.serverId));
    expect((await held(two)).live.size).toBe(0);
    expect(await snatPort(two)).toEqual([]);
  });

  it('are told of another gateway, routes and state', async () => {
    const actor = await newMember();
    const [outside, other] = [await newExternal(admin), await newExternal(admin, { cidr: '198.51.100.0/24' })];
    const { id, networkId } = await pluggedIn(actor);
    const host = await runnerRow();
    await boot(contextOf(actor), host, on(networkId));
    const set = async (values: object) => {
      const { status } = await net(admin, 'PUT', `/routers/${id}`, { router: values });
      expect(status).toBe(200);
      return routerOn(host, id);
    };
    expect((await routerOn(host, id))?.gateway).toBeNull();
    expect((await set({ external_gateway_info: { network_id: outside.networkId } }))?.gateway).toMatchObject({
      network_id: outside.networkId,
      snat_ip: expect.stringMatching(/^192\.0\.2\./),
    });
    expect((await set({ external_gateway_info: { network_id: other.networkId } }))?.gateway).toMatchObject({
      network_id: other.networkId,
      snat_ip: expect.stringMatching(/^198\.51\.100\./),
      next_hops: ['198.51.100.1'],
    });
    expect((await held(host)).kinds('network')).toEqual([networkId, other.networkId].sort());
    const unsnatted = { network_id: other.networkId, enable_snat: false };
    expect((await set({ external_gateway_info: unsnatted }))?.gateway).toMatchObject({
      enable_snat: false,
      snat_ip: null,
    });
    expect(await snatPort(host)).toEqual([]);
    const routes = [{ destination: '10.99.0.0/16', nexthop: '10.20.0.9' }];
    expect(await set({ routes, admin_state_up: false })).toMatchObject({ routes, admin_state_up: false });
    expect((await set({ external_gateway_info: null }))?.gateway).toBeNull();
    expect((await held(host)).kinds('network')).toEqual([networkId]);
  });

  it('do without an address of their own where the network outside has none left, or no subnet', async () => {
    const actor = await newMember();
    // One address for the router, and one for the first of the hosts.
    const external = await newExternal(admin, {
      subnet: { allocation_pools: [{ start: '192.0.2.10', end: '192.0.2.11' }] },
    });
    const { id, networkId } = await pluggedIn(actor, { external: external.networkId });
    const hosts = [await runnerRow(), await runnerRow(), await runnerRow()];
    for (const host of hosts) await boot(contextOf(actor), host, on(networkId));
    const gateways = await Promise.all(hosts.map(async (host) => (await routerOn(host, id))?.gateway));
    const snatIps = gateways.map((gateway) => (gateway as { snat_ip: string | null }).snat_ip);
    expect(snatIps.filter((ip) => ip !== null)).toHaveLength(1);
    const { body } = await net(admin, 'POST', '/networks', {
      network: { 'router:external': true, 'provider:network_type': 'local' },
    });
    const bare = await pluggedIn(actor, { cidr: '10.23.0.0/24', external: body.network.id });
    await boot(contextOf(actor), hosts[0] ?? '', on(bare.networkId));
    expect((await routerOn(hosts[0] ?? '', bare.id))?.gateway).toMatchObject({ snat_ip: null, next_hops: [] });
  });

  it('get addresses that differ, when a gateway comes to many of them at once', async () => {
    const actor = await newMember();
    const external = await newExternal(admin, {
      subnet: {
        allocation_pools: [
          { start: '192.0.2.10', end: '192.0.2.12' },
          { start: '192.0.2.250', end: '192.0.2.254' },
        ],
      },
    });
    const { id, networkId } = await pluggedIn(actor);
    const hosts = await Promise.all(Array.from({ length: 6 }, () => runnerRow()));
    for (const host of hosts) await boot(contextOf(actor), host, on(networkId));
    const router = { external_gateway_info: { network_id: external.networkId } };
    expect((await net(actor, 'PUT', `/routers/${id}`, { router })).status).toBe(200);
    const addresses = (await Promise.all(hosts.map(snatPort))).flat();
    expect(new Set(addresses).size).toBe(6);
    expect(addresses.filter((ip) => ip.startsWith('192.0.2.25')).length).toBeGreaterThan(2);
  });

  it('reach through several routers, and let go of what only the removed one led to', async () => {
    const actor = await newMember();
    const a = await pluggedIn(actor);
    const b = await newNetwork(actor, { cidr: '10.21.0.0/24', subnet: { gateway_ip: '10.21.0.2' } });
    const c = await newNetwork(actor, { cidr: '10.22.0.0/24' });
    const second = await newRouter(actor);
    await plugIn(actor, second, c.subnetId);
    const host = await runnerRow();
    await boot(contextOf(actor), host, on(a.networkId));
    const { port } = (await net(actor, 'POST', '/ports', { port: { network_id: b.networkId } })).body;
    await net(actor, 'PUT', `/routers/${second}/add_router_interface`, { port_id: port.id });
    expect((await held(host)).kinds('router')).toEqual([a.id]);
    await plugIn(actor, a.id, b.subnetId);
    expect((await held(host)).kinds('network')).toEqual([a.networkId, b.networkId, c.networkId].sort());
    expect((await held(host)).kinds('router')).toEqual([a.id, second].sort());
    await unplug(actor, a.id, b.subnetId);
    expect((await held(host)).kinds('network')).toEqual([a.networkId]);
    expect((await held(host)).kinds('router')).toEqual([a.id]);
  });
});
