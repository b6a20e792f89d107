import { and, eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { desired, runners } from '../../db/schema/fleet.ts';
import {
  inOwnRegion,
  type NetActor,
  net,
  newMember,
  newNetwork,
  runnerRow,
  testDatabase,
} from '../../test/edge-network.ts';
import { boot, contextOf, held, observe, run } from '../../test/edge-server-ports.ts';
import { mintActor } from '../../test/edge-tokens.ts';
import { commitEffects } from '../fleet/link/record-observed.ts';
import { observers } from '../fleet/observers.ts';
import { dropServerPorts, type PortRequest, releaseServerPorts } from './server-ports.ts';

const db = testDatabase();

/** An admin in an actor's region. */
const adminBeside = async (actor: NetActor) => inOwnRegion(await mintActor('admin'), actor.region);

const port = async (actor: NetActor, id: string | undefined) => (await net(actor, 'GET', `/ports/${id}`)).body.port;
const problemOf = async (attempt: Promise<unknown>) =>
  attempt.then(
    () => null,
    (error: { status: number; type: string }) => [error.status, error.type],
  );

describe('the ports of a new server', () => {
  it('are made on the only network, and its host gets all that they need', async () => {
    const actor = inOwnRegion(await newMember());
    const { networkId, subnetId } = await newNetwork(actor, { subnet: { dns_nameservers: ['9.9.9.9'] } });
    const [runnerId, ctx] = [await runnerRow('host-one'), contextOf(actor)];
    const { serverId, portIds } = await boot(ctx, runnerId);
    const shown = await port(await adminBeside(actor), portIds[0]);
    expect(shown).toMatchObject({
      device_id: serverId,
      device_owner: 'compute:nova',
      network_id: networkId,
      dns_name: 'web-1',
      status: 'DOWN',
      'binding:host_id': 'host-one',
      'binding:vif_type': 'bridge',
      project_id: actor.projectId,
    });
    const [groupId] = shown.security_groups;
    const address = shown.fixed_ips[0].ip_address;
    const state = await held(runnerId);
    expect(ctx.poked).toEqual([runnerId]);
    expect(state.generation).toBe(1);
    expect(state.live.get(`network ${networkId}`)).toEqual({
      id: networkId,
      mtu: 1450,
      segment: { type: 'vxlan', id: expect.any(Number) },
      external: false,
      snat: false,
      host_access: false,
      subnets: [
        {
          id: subnetId,
          ip_version: 4,
          cidr: '10.20.0.0/24',
          gateway_ip: '10.20.0.1',
          enable_dhcp: true,
          dns_nameservers: ['9.9.9.9'],
          host_routes: [],
          ipv6_ra_mode: null,
          ipv6_address_mode: null,
        },
      ],
    });
    expect(state.live.get(`port ${portIds[0]}`)).toEqual({
      id: portIds[0],
      network_id: networkId,
      project_id: actor.projectId,
      server_id: serverId,
      mac_address: shown.mac_address,
      fixed_ips: [{ subnet_id: subnetId, ip_address: address }],
      hostname: 'web-1',
      admin_state_up: true,
      port_security_enabled: true,
      security_groups: [groupId],
      mtu: 1450,
      allowed_address_pairs: [],
      extra_dhcp_opts: [],
      qos: null,
    });
    expect(state.live.get(`security-group ${groupId}`)?.rules).toHaveLength(4);
    expect(state.live.get(`group-member ${groupId}:${portIds[0]}`)).toEqual({
      group_id: groupId,
      port_id: portIds[0],
      addresses: [address],
    });
    expect(state.live.size).toBe(4);
    expect(
      (await net(await adminBeside(actor), 'GET', `/networks/${networkId}`)).body.network.availability_zones,
    ).toEqual(['nova']);
  });

  it('are none without a network, or where none is wanted; several networks need a choice', async () => {
    const actor = inOwnRegion(await newMember());
    const [runnerId, ctx] = [await runnerRow(), contextOf(actor)];
    expect((await boot(ctx, runnerId)).portIds).toEqual([]);
    const one = await newNetwork(actor);
    expect((await boot(ctx, runnerId, { requests: 'none' })).portIds).toEqual([]);
    expect((await boot(ctx, runnerId)).portIds).toHaveLength(1);
    const two = await newNetwork(actor, { cidr: '10.21.0.0/24' });
    expect(await problemOf(boot(ctx, runnerId))).toEqual([409, 'NetworkAmbiguous']);
    const requests = [{ networkId: two.networkId }, { networkId: one.networkId, fixedIp: '10.20.0.99' }];
    const { portIds } = await boot(ctx, runnerId, { requests });
    expect((await port(actor, portIds[0])).network_id).toBe(two.networkId);
    expect((await port(actor, portIds[1])).fixed_ips[0].ip_address).toBe('10.20.0.99');
  });

  it('are refused for what there is not, or is in use', async () => {
    const actor = inOwnRegion(await newMember());
    const stranger = inOwnRegion(await newMember(), actor.region);
    const { networkId } = await newNetwork(actor, { cidr: '10.20.0.0/29' });
    const hidden = await newNetwork(stranger);
    const empty = (await net(actor, 'POST', '/networks', { network: {} })).body.network.id;
    const created = await net(actor, 'POST', '/ports', {
      port: { network_id: networkId, fixed_ips: [{ ip_address: '10.20.0.5' }] },
    });
    const bare = await net(actor, 'POST', '/ports', { port: { network_id: empty } });
    const busy = await net(actor, 'POST', '/ports', { port: { network_id: networkId, device_id: 'x' } });
    const [runnerId, ctx] = [await runnerRow(), contextOf(actor)];
    const refused = async (requests: PortRequest[], groups: string[] = []) =>
      problemOf(boot(ctx, runnerId, { requests, groups }));
    const free = created.body.port.id;
    expect(await refused([{ networkId: hidden.networkId }])).toEqual([400, 'NetworkNotFound']);
    expect(await refused([{ networkId: 'nonsense' }])).toEqual([400, 'NetworkNotFound']);
    expect(await refused([{ networkId: empty }])).toEqual([400, 'NetworkRequiresSubnet']);
    expect(await refused([{ networkId, fixedIp: '10.20.0.5' }])).toEqual([400, 'FixedIpAlreadyInUse']);
    expect(await refused([{ networkId, fixedIp: '10.99.0.5' }])).toEqual([400, 'InvalidFixedIp']);
    expect(await refused([{ networkId, fixedIp: '10.20.0.1' }])).toEqual([400, 'InvalidFixedIp']);
    expect(
      await refused([
        { networkId, fixedIp: '10.20.0.6' },
        { networkId, fixedIp: '10.20.0.6' },
      ]),
    ).toEqual([400, 'FixedIpAlreadyInUse']);
    expect(await refused([{ portId: crypto.randomUUID() }])).toEqual([400, 'PortNotFound']);
    expect(await refused([{ portId: bare.body.port.id }])).toEqual([400, 'PortRequiresFixedIP']);
    expect(await refused([{ portId: busy.body.port.id }])).toEqual([409, 'PortInUse']);
    expect(await refused([{ portId: free }, { portId: free }])).toEqual([409, 'PortInUse']);
    expect(await refused([{ networkId }], ['nonsense'])).toEqual([400, 'SecurityGroupNotFound']);
    expect(await refused(Array(4).fill({ networkId }))).toEqual([409, 'NoMoreFixedIps']);
    expect((await held(runnerId)).live.size).toBe(0);
  });

  it('are made on shared networks too, at an address that only the owner of the network names', async () => {
    const admin = inOwnRegion(await mintActor('admin'));
    const guest = inOwnRegion(await newMember(), admin.region);
    // No port takes by chance what another is given.
    const subnet = { allocation_pools: [{ start: '10.20.0.20', end: '10.20.0.99' }] };
    const { networkId } = await newNetwork(admin, { shared: true, subnet });
    const [runnerId, ctx] = [await runnerRow(), contextOf(guest)];
    const named = [{ networkId, fixedIp: '10.20.0.9' }];
    expect(await problemOf(boot(ctx, runnerId, { requests: named }))).toEqual([403, 'PolicyNotAuthorized']);
    const { portIds } = await boot(ctx, runnerId);
    expect(await port(guest, portIds[0])).toMatchObject({ network_id: networkId, project_id: guest.projectId });
    const owner = contextOf(admin, ['admin', 'manager', 'member', 'reader']);
    expect((await boot(owner, runnerId, { requests: named })).portIds).toHaveLength(1);
  });

  it('have the groups that are named, by name or id, once each', async () => {
    const actor = inOwnRegion(await newMember());
    await newNetwork(actor);
    const made = await net(actor, 'POST', '/security-groups', {
      security_groups: [{ name: 'a' }, { name: 'twin' }, { name: 'twin' }],
    });
    const [a] = made.body.security_groups;
    const [runnerId, ctx] = [await runnerRow(), contextOf(actor)];
    const { portIds } = await boot(ctx, runnerId, { groups: ['a', a.id, 'default'] });
    expect((await port(actor, portIds[0])).security_groups).toHaveLength(2);
    expect(await problemOf(boot(ctx, runnerId, { groups: ['twin'] }))).toEqual([409, 'NoUniqueMatch']);
  });

  it('have no groups on a network without port security, and none can be named', async () => {
    const actor = inOwnRegion(await newMember());
    const { networkId } = await newNetwork(actor);
    await net(actor, 'PUT', `/networks/${networkId}`, { network: { port_security_enabled: false } });
    const [runnerId, ctx] = [await runnerRow(), contextOf(actor)];
    const { portIds } = await boot(ctx, runnerId);
    expect(await port(actor, portIds[0])).toMatchObject({ security_groups: [], port_security_enabled: false });
    expect((await held(runnerId)).live.get(`port ${portIds[0]}`)?.port_security_enabled).toBe(false);
    expect(await problemOf(boot(ctx, runnerId, { groups: ['default'] }))).toEqual([
      400,
      'SecurityGroupCannotBeApplied',
    ]);
  });

  it('never share an address when many are made at once, and the host has them all', async () => {
    const actor = inOwnRegion(await newMember());
    await newNetwork(actor, { cidr: '10.20.0.0/27' });
    const [runnerId, ctx] = [await runnerRow(), contextOf(actor)];
    await Promise.all(Array.from({ length: 20 }, () => boot(ctx, runnerId)));
    const ports = (await net(actor, 'GET', '/ports')).body.ports;
    const addresses = ports.map((one: { fixed_ips: { ip_address: string }[] }) => one.fixed_ips[0]?.ip_address);
    expect(new Set(addresses).size).toBe(20);
    const state = await held(runnerId);
    expect(state.kinds('port')).toHaveLength(20);
    expect(state.kinds('group-member')).toHaveLength(20);
    expect(state.generation).toBe(20);
  });

  it('of which one exists already: it is attached, and free again after the server', async () => {
    const actor = inOwnRegion(await newMember());
    const { networkId } = await newNetwork(actor);
    const { id } = (await net(actor, 'POST', '/ports', { port: { network_id: networkId } })).body.port;
    const [runnerId, ctx] = [await runnerRow(), contextOf(actor)];
    const racing = await Promise.allSettled([0, 1, 2].map(() => boot(ctx, runnerId, { requests: [{ portId: id }] })));
    expect(racing.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const winner = racing.find((one) => one.status === 'fulfilled');
    const { serverId, portIds } = winner?.status === 'fulfilled' ? winner.value : { serverId: '', portIds: [] };
    expect(portIds).toEqual([id]);
    expect(await port(actor, id)).toMatchObject({
      device_id: serverId,
      device_owner: 'compute:nova',
      dns_name: 'web-1',
    });
    await run(ctx, releaseServerPorts(ctx, serverId));
    expect(await port(actor, id)).toMatchObject({ device_id: '', device_owner: '', dns_name: '', status: 'DOWN' });
    expect((await held(runnerId)).gone).toContain(`port ${id}`);
  });
});

describe('members of a group', () => {
  it('are known to every host with a rule about the group, and to no other', async () => {
    const actor = inOwnRegion(await newMember());
    await newNetwork(actor);
    const ctx = contextOf(actor);
    const [one, two, three] = [await runnerRow(), await runnerRow(), await runnerRow()];
    const a = await boot(ctx, one);
    const [groupId] = (await port(actor, a.portIds[0])).security_groups;
    ctx.poked.length = 0;
    const b = await boot(ctx, two);
    expect(ctx.poked.sort()).toEqual([one, two].sort());
    const members = [a, b].map(({ portIds }) => `${groupId}:${portIds[0]}`).sort();
    expect((await held(one)).kinds('group-member')).toEqual(members);
    expect((await held(two)).kinds('group-member')).toEqual(members);
    expect((await held(three)).live.size).toBe(0);
    const before = (await held(one)).generations.get(`group-member ${members[0]}`);
    await boot(ctx, two);
    expect((await held(one)).generations.get(`group-member ${members[0]}`)).toBe(before);
    await run(ctx, releaseServerPorts(ctx, b.serverId));
    expect((await held(one)).kinds('group-member')).not.toContain(`${groupId}:${b.portIds[0]}`);
    expect((await held(two)).kinds('group-member')).toContain(`${groupId}:${a.portIds[0]}`);
  });

  it('come and go with the rules about the group', async () => {
    const actor = inOwnRegion(await newMember());
    await newNetwork(actor);
    const ctx = contextOf(actor);
    const made = await net(actor, 'POST', '/security-groups', { security_groups: [{ name: 'web' }, { name: 'db' }] });
    const [web, database] = made.body.security_groups;
    const [one, two] = [await runnerRow(), await runnerRow()];
    const a = await boot(ctx, one, { groups: ['web'] });
    await boot(ctx, two, { groups: ['db'] });
    expect((await held(two)).kinds('group-member')).toEqual([]);
    const rule = {
      security_group_id: database.id,
      direction: 'ingress',
      protocol: 'icmp',
      port_range_min: 8,
      remote_group_id: web.id,
    };
    const { body } = await net(actor, 'POST', '/security-group-rules', { security_group_rule: rule });
    const state = await held(two);
    expect(state.kinds('group-member')).toEqual([`${web.id}:${a.portIds[0]}`]);
    expect(state.live.get(`security-group ${database.id}`)?.rules).toContainEqual({
      id: body.security_group_rule.id,
      direction: 'ingress',
      ethertype: 'IPv4',
      protocol: 1,
      port_range_min: 8,
      port_range_max: null,
      remote_ip_prefix: null,
      remote_group_id: web.id,
      remote_address_group_id: null,
    });
    const c = await boot(ctx, one, { groups: ['web'] });
    expect((await held(two)).kinds('group-member')).toHaveLength(2);
    await net(actor, 'PUT', `/ports/${c.portIds[0]}`, { port: { security_groups: [] } });
    expect((await held(two)).kinds('group-member')).toEqual([`${web.id}:${a.portIds[0]}`]);
    const before = (await held(one)).generation;
    expect((await net(actor, 'DELETE', `/security-group-rules/${body.security_group_rule.id}`)).status).toBe(204);
    const after = await held(two);
    expect(after.kinds('group-member')).toEqual([]);
    expect(after.gone).toContain(`group-member ${web.id}:${a.portIds[0]}`);
    expect(after.generations.get(`security-group ${database.id}`)).toBe(after.generation);
    expect((await held(one)).generation).toBe(before);
  });

  it('go with a group whose rules were about them', async () => {
    const actor = inOwnRegion(await newMember());
    await newNetwork(actor);
    const ctx = contextOf(actor);
    const made = await net(actor, 'POST', '/security-groups', { security_groups: [{ name: 'web' }, { name: 'db' }] });
    const [web, database] = made.body.security_groups;
    await net(actor, 'POST', '/security-group-rules', {
      security_group_rule: { security_group_id: database.id, direction: 'ingress', remote_group_id: web.id },
    });
    const runnerId = await runnerRow();
    const a = await boot(ctx, runnerId, { groups: ['web', 'db'] });
    expect((await held(runnerId)).kinds('group-member')).toEqual([`${web.id}:${a.portIds[0]}`]);
    await net(actor, 'PUT', `/ports/${a.portIds[0]}`, { port: { security_groups: [database.id] } });
    expect((await held(runnerId)).kinds('security-group')).toEqual([database.id]);
    expect((await held(runnerId)).kinds('group-member')).toEqual([]);
    expect((await net(actor, 'DELETE', `/security-groups/${web.id}`)).status).toBe(204);
    const rules = (await held(runnerId)).live.get(`security-group ${database.id}`)?.rules as {
      remote_group_id: unknown;
    }[];
    expect(rules.map((rule) => rule.remote_group_id)).toEqual([null, null]);
  });

  it('follow their addresses', async () => {
    const actor = inOwnRegion(await newMember());
    // No port takes by chance what another is given.
    await newNetwork(actor, { subnet: { allocation_pools: [{ start: '10.20.0.2', end: '10.20.0.99' }] } });
    const ctx = contextOf(actor);
    const [one, two] = [await runnerRow(), await runnerRow()];
    const a = await boot(ctx, one);
    await boot(ctx, two);
    const path = `/ports/${a.portIds[0]}`;
    const [groupId] = (await port(actor, a.portIds[0])).security_groups;
    await net(actor, 'PUT', path, { port: { fixed_ips: [{ ip_address: '10.20.0.200' }] } });
    const spec = (await held(two)).live.get(`group-member ${groupId}:${a.portIds[0]}`);
    expect(spec?.addresses).toEqual(['10.20.0.200']);
  });
});

describe('what a host holds', () => {
  it('follows its networks, subnets and ports', async () => {
    const actor = inOwnRegion(await newMember());
    const { networkId, subnetId } = await newNetwork(actor);
    const [runnerId, ctx] = [await runnerRow(), contextOf(actor)];
    const { portIds } = await boot(ctx, runnerId);
    const spec = async (key: string) => (await held(runnerId)).live.get(key) as Record<string, never> | undefined;
    await net(actor, 'PUT', `/networks/${networkId}`, { network: { mtu: 1400 } });
    expect((await spec(`network ${networkId}`))?.mtu).toBe(1400);
    expect((await spec(`port ${portIds[0]}`))?.mtu).toBe(1400);
    await net(actor, 'PUT', `/subnets/${subnetId}`, { subnet: { dns_nameservers: ['1.1.1.1'] } });
    expect(await spec(`network ${networkId}`)).toMatchObject({ subnets: [{ dns_nameservers: ['1.1.1.1'] }] });
    const second = await net(actor, 'POST', '/subnets', {
      subnet: { network_id: networkId, ip_version: 6, cidr: 'fd00:9::/64' },
    });
    expect(await spec(`network ${networkId}`)).toMatchObject({
      subnets: [{ id: subnetId }, { id: second.body.subnet.id }],
    });
    await net(actor, 'DELETE', `/subnets/${second.body.subnet.id}`);
    expect((await spec(`network ${networkId}`))?.subnets).toHaveLength(1);
    await net(actor, 'PUT', `/ports/${portIds[0]}`, { port: { admin_state_up: false } });
    expect((await spec(`port ${portIds[0]}`))?.admin_state_up).toBe(false);
    const before = (await held(runnerId)).generations;
    await net(actor, 'PUT', `/networks/${networkId}`, { network: { name: 'only a name' } });
    expect((await held(runnerId)).generations).toEqual(before);
  });

  it('a bound port keeps its device and its MAC', async () => {
    const actor = inOwnRegion(await newMember());
    await newNetwork(actor);
    const { portIds } = await boot(contextOf(actor), await runnerRow());
    const admin = await adminBeside(actor);
    const change = async (value: Record<string, unknown>) => {
      const answer = await net(admin, 'PUT', `/ports/${portIds[0]}`, { port: value });
      return [answer.status, answer.body.NeutronError?.type];
    };
    expect(await change({ device_id: '' })).toEqual([409, 'PortInUse']);
    expect(await change({ device_owner: 'network:x' })).toEqual([409, 'PortInUse']);
    expect(await change({ mac_address: '02:00:00:00:00:99' })).toEqual([409, 'PortBound']);
  });

  it('a port becomes ACTIVE when its host says so, of the wish it has now', async () => {
    const actor = inOwnRegion(await newMember());
    await newNetwork(actor);
    const [runnerId, ctx] = [await runnerRow(), contextOf(actor)];
    const { portIds } = await boot(ctx, runnerId);
    const id = portIds[0] ?? '';
    const stale = { kind: 'port', id, generation: 99, state: 'applied' } as const;
    await commitEffects(ctx, [observers.port(ctx, runnerId, stale)]);
    expect((await port(actor, id)).status).toBe('DOWN');
    await observe(runnerId, id, 'applied');
    expect(await port(actor, id)).toMatchObject({ status: 'ACTIVE', revision_number: 2 });
    await observe(runnerId, id, 'applied');
    expect((await port(actor, id)).revision_number).toBe(2);
    await observe(runnerId, id, 'failed');
    expect((await port(actor, id)).status).toBe('ERROR');
    await observe(await runnerRow(), id, 'applied');
    expect((await port(actor, id)).status).toBe('ERROR');
  });

  it('goes with the last port that needs it, and not before', async () => {
    const actor = inOwnRegion(await newMember());
    await newNetwork(actor);
    const [runnerId, ctx] = [await runnerRow(), contextOf(actor)];
    const [a, b] = [await boot(ctx, runnerId), await boot(ctx, runnerId)];
    const end = async (server: typeof a) => {
      await run(ctx, dropServerPorts(ctx, server.serverId));
      await run(ctx, releaseServerPorts(ctx, server.serverId));
      await observe(runnerId, server.portIds[0] ?? '', 'absent');
    };
    await end(a);
    expect((await net(actor, 'GET', `/ports/${a.portIds[0]}`)).status).toBe(404);
    let state = await held(runnerId);
    expect([
      state.kinds('network').length,
      state.kinds('security-group').length,
      state.kinds('group-member').length,
    ]).toEqual([1, 1, 1]);
    await end(b);
    state = await held(runnerId);
    expect(state.live.size).toBe(0);
    expect(state.gone.map((key) => key.split(' ')[0]).sort()).toEqual([
      'group-member',
      'group-member',
      'network',
      'security-group',
    ]);
    expect(Math.max(...state.generations.values())).toBe(state.generation);
    const again = await boot(ctx, runnerId);
    state = await held(runnerId);
    expect(state.live.has(`port ${again.portIds[0]}`)).toBe(true);
    expect([
      state.kinds('network').length,
      state.kinds('security-group').length,
      state.kinds('group-member').length,
    ]).toEqual([1, 1, 1]);
  });

  it('stays while a guest that is being removed still has its port', async () => {
    const actor = inOwnRegion(await newMember());
    await newNetwork(actor);
    const [runnerId, ctx] = [await runnerRow(), contextOf(actor)];
    const [a, b] = [await boot(ctx, runnerId), await boot(ctx, runnerId)];
    await run(ctx, dropServerPorts(ctx, a.serverId));
    await run(ctx, dropServerPorts(ctx, b.serverId));
    await run(ctx, releaseServerPorts(ctx, a.serverId));
    await observe(runnerId, a.portIds[0] ?? '', 'absent');
    expect((await held(runnerId)).kinds('network')).toHaveLength(1);
    expect((await net(actor, 'GET', `/ports/${b.portIds[0]}`)).status).toBe(200);
  });

  it('a deleted port leaves its server, its host and the members', async () => {
    const actor = inOwnRegion(await newMember());
    await newNetwork(actor);
    const ctx = contextOf(actor);
    const [runnerId, other] = [await runnerRow(), await runnerRow()];
    const { serverId, portIds } = await boot(ctx, runnerId);
    await boot(ctx, other);
    await db
      .insert(desired)
      .values({ runnerId, kind: 'server', id: serverId, generation: 0, spec: { ports: ['x', portIds[0]] } });
    const [groupId] = (await port(actor, portIds[0])).security_groups;
    expect((await net(actor, 'DELETE', `/ports/${portIds[0]}`)).status).toBe(204);
    const rows = await db
      .select()
      .from(desired)
      .where(and(eq(desired.runnerId, runnerId), eq(desired.kind, 'server')));
    const [runner] = await db.select().from(runners).where(eq(runners.id, runnerId));
    expect(rows.map((row) => [row.spec, row.generation])).toEqual([[{ ports: ['x'] }, runner?.generation]]);
    await db.delete(desired).where(eq(desired.kind, 'server'));
    expect((await held(runnerId)).gone).toContain(`port ${portIds[0]}`);
    expect((await held(other)).gone).toEqual([`group-member ${groupId}:${portIds[0]}`]);
    await observe(runnerId, portIds[0] ?? '', 'absent');
    expect((await held(runnerId)).live.size).toBe(0);
  });
});
