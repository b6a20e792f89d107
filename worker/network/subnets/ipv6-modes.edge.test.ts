import { beforeAll, describe, expect, it } from 'vitest';
import { inOwnRegion, type NetActor, net, newMember, runnerRow, unlimited } from '../../../test/edge-network.ts';
import { boot, contextOf, held } from '../../../test/edge-server-ports.ts';
import { mintActor } from '../../../test/edge-tokens.ts';

let member: NetActor;
beforeAll(async () => {
  member = inOwnRegion(await newMember());
  await unlimited(member);
});

const V6 = '2001:db8:77::/64';
const network = async (): Promise<string> => (await net(member, 'POST', '/networks', { network: {} })).body.network.id;
const subnet = (network_id: string, values: Record<string, unknown>) =>
  net(member, 'POST', '/subnets', { subnet: { network_id, ip_version: 6, cidr: V6, ...values } });
const port = (network_id: string, values: Record<string, unknown> = {}) =>
  net(member, 'POST', '/ports', { port: { network_id, ...values } });
const shown = async (id: string) => (await net(member, 'GET', `/ports/${id}`)).body.port;
const slaac = { ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' };
const ipsOf = (row: { fixed_ips: { ip_address: string }[] }) => row.fixed_ips.map((one) => one.ip_address);

describe('the modes of a subnet', () => {
  it.each(['slaac', 'dhcpv6-stateless', 'dhcpv6-stateful'])('%s is kept, shown, filtered by', async (mode) => {
    const id = await network();
    const modes = { ipv6_ra_mode: mode, ipv6_address_mode: mode };
    const made = await subnet(id, modes);
    expect([made.status, made.body.subnet]).toMatchObject([201, modes]);
    const found = await net(member, 'GET', `/subnets?network_id=${id}&ipv6_ra_mode=${mode}&ipv6_address_mode=${mode}`);
    expect(found.body.subnets).toEqual([made.body.subnet]);
    expect((await net(member, 'GET', `/subnets?network_id=${id}&ipv6_ra_mode=x`)).body.subnets).toEqual([]);
    const put = await net(member, 'PUT', `/subnets/${made.body.subnet.id}`, { subnet: { ipv6_ra_mode: 'slaac' } });
    expect(put.status).toBe(400);
  });

  it.each([
    [{ ip_version: 4, cidr: '10.0.0.0/24', ipv6_ra_mode: 'slaac' }, /ipv6_ra_mode is not valid when ip_version is 4/],
    [{ ip_version: 4, cidr: '10.0.0.0/24', ipv6_address_mode: 'slaac' }, /ipv6_address_mode is not valid when/],
    [{ ...slaac, enable_dhcp: false }, /cannot be set when enable_dhcp is set to False/],
    [{ ipv6_ra_mode: 'slaac', ipv6_address_mode: 'dhcpv6-stateful' }, /they must be the same value/],
    [{ ...slaac, cidr: '2001:db8:77::/63' }, /requires the prefix to be \/64/],
    [{ ipv6_ra_mode: 'dhcpv6-stateless', cidr: '2001:db8:77::/80' }, /requires the prefix to be \/64/],
    [{ ipv6_ra_mode: 'dhcp' }, /dhcp is not in \[dhcpv6-stateful, dhcpv6-stateless, slaac\]/],
  ])('are refused where they do not fit: %j', async (values, message) => {
    const { status, body } = await subnet(await network(), values);
    expect([status, body.NeutronError.message]).toEqual([400, expect.stringMatching(message)]);
  });

  it('keep DHCP on', async () => {
    const { body } = await subnet(await network(), slaac);
    const put = await net(member, 'PUT', `/subnets/${body.subnet.id}`, { subnet: { enable_dhcp: false } });
    expect([put.status, put.body.NeutronError.message]).toEqual([
      400,
      expect.stringMatching(/Cannot disable enable_dhcp with ipv6 attributes set/),
    ]);
  });
});

describe('a subnet whose guests make their addresses', () => {
  it('gives each port the address of its MAC, beside those that are chosen', async () => {
    const id = await network();
    const v4 = (await subnet(id, { ip_version: 4, cidr: '10.9.0.0/24' })).body.subnet;
    await subnet(id, slaac);
    const plain = (await port(id, { mac_address: 'fa:16:3e:00:00:02' })).body.port;
    expect(ipsOf(plain)).toEqual([expect.stringMatching(/^10\.9\.0\./), '2001:db8:77:0:f816:3eff:fe00:2']);
    const named = (await port(id, { mac_address: 'fa:16:3e:00:00:03', fixed_ips: [{ subnet_id: v4.id }] })).body.port;
    expect(ipsOf(named)).toEqual([expect.stringMatching(/^10\.9/), '2001:db8:77:0:f816:3eff:fe00:3']);
    const stays = await net(member, 'PUT', `/ports/${plain.id}`, { port: { fixed_ips: [{ subnet_id: v4.id }] } });
    expect(ipsOf(stays.body.port)).toEqual(ipsOf(plain));
    const again = await net(member, 'PUT', `/ports/${plain.id}`, { port: { fixed_ips: plain.fixed_ips } });
    expect(ipsOf(again.body.port)).toEqual(ipsOf(plain));
  });

  it('lets nobody choose an address', async () => {
    const id = await network();
    const made = (await subnet(id, slaac)).body.subnet;
    const wish = [{ subnet_id: made.id, ip_address: '2001:db8:77::5' }];
    const refused = await port(id, { fixed_ips: wish });
    expect([refused.status, refused.body.NeutronError]).toMatchObject([400, { type: 'AllocationOnAutoAddressSubnet' }]);
    const { body } = await port(id);
    expect((await net(member, 'PUT', `/ports/${body.port.id}`, { port: { fixed_ips: wish } })).status).toBe(400);
    const booted = boot(contextOf(member), await runnerRow(), {
      requests: [{ networkId: id, fixedIp: '2001:db8:77::5' }],
    });
    await expect(booted).rejects.toMatchObject({ status: 400, type: 'AllocationOnAutoAddressSubnet' });
  });

  it('follows the MAC of a port', async () => {
    const id = await network();
    await subnet(id, slaac);
    const { body } = await port(id, { mac_address: 'fa:16:3e:00:00:04' });
    const manager = { ...member, token: (await mintActor('manager', member.projectId)).token };
    const put = await net(manager, 'PUT', `/ports/${body.port.id}`, { port: { mac_address: 'fa:16:3e:00:00:05' } });
    expect([put.status, ipsOf(put.body.port)]).toEqual([200, ['2001:db8:77:0:f816:3eff:fe00:5']]);
  });

  it('reaches ports that were there before it, on their hosts too, and goes with its addresses', async () => {
    const id = await network();
    await subnet(id, { ip_version: 4, cidr: '10.9.0.0/24' });
    const host = await runnerRow();
    const { portIds } = await boot(contextOf(member), host, { requests: [{ networkId: id }] });
    const portId = portIds[0] ?? '';
    const before = await shown(portId);
    const made = (await subnet(id, slaac)).body.subnet;
    const after = await shown(portId);
    expect(ipsOf(after)).toEqual([...ipsOf(before), expect.stringMatching(/^2001:db8:77:0:f816:3eff:fe/)]);
    expect(after.revision_number).toBe(before.revision_number + 1);
    const spec = async () => (await held(host)).live.get(`port ${portId}`) as { fixed_ips: { ip_address: string }[] };
    expect(ipsOf(await spec())).toEqual(ipsOf(after));
    expect((await held(host)).live.get(`network ${id}`)).toMatchObject({
      subnets: [{ ipv6_ra_mode: null }, { ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' }],
    });
    expect((await net(member, 'DELETE', `/subnets/${made.id}`)).status).toBe(204);
    expect(ipsOf(await shown(portId))).toEqual(ipsOf(before));
    expect(ipsOf(await spec())).toEqual(ipsOf(before));
  });

  it('misses no port that comes at the same time', async () => {
    const id = await network();
    const made = await Promise.all([port(id), subnet(id, slaac), port(id), port(id)]);
    const ports = made.filter(({ body }) => body.port !== undefined);
    expect(ports.map(({ status }) => status)).toEqual([201, 201, 201]);
    for (const { body } of ports) expect((await shown(body.port.id)).fixed_ips).toHaveLength(1);
  });

  it('is a router’s by its gateway, and of no other address of it', async () => {
    const id = await network();
    const made = (await subnet(id, slaac)).body.subnet;
    const router = (await net(member, 'POST', '/routers', { router: {} })).body.router;
    const path = `/routers/${router.id}/add_router_interface`;
    const added = await net(member, 'PUT', path, { subnet_id: made.id });
    expect(added.status).toBe(200);
    expect(ipsOf(await shown(added.body.port_id))).toEqual(['2001:db8:77::1']);
    expect((await net(member, 'DELETE', `/subnets/${made.id}`)).status).toBe(409);
  });

  it('are few in one network', async () => {
    const id = await network();
    const made: number[] = [];
    for (let at = 0; at < 9; at++) made.push((await subnet(id, { ...slaac, cidr: `2001:db8:${at + 1}::/64` })).status);
    expect(made).toEqual([...Array<number>(8).fill(201), 409]);
    expect((await subnet(id, { cidr: '2001:db8:99::/64' })).status).toBe(201);
  });
});
