import { describe, expect, it } from 'vitest';
import { inOwnRegion, type NetActor, net, newMember, newNetwork, runnerRow } from '../../test/edge-network.ts';
import { boot, contextOf, held, run } from '../../test/edge-server-ports.ts';
import { mintActor } from '../../test/edge-tokens.ts';
import { type PortRequest, releaseServerPorts } from './server-ports.ts';

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
