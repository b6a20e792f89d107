import { beforeAll, describe, expect, it } from 'vitest';
import { inOwnRegion, type NetActor, net, newMember, newNetwork } from '../../../test/edge-network.ts';
import { mintActor } from '../../../test/edge-tokens.ts';

let member: NetActor;
let admin: NetActor;
beforeAll(async () => {
  admin = inOwnRegion(await mintActor('admin'));
  member = inOwnRegion(await newMember(), admin.region);
});

const emptyNetwork = async (actor = member): Promise<string> =>
  (await net(actor, 'POST', '/networks', { network: {} })).body.network.id;
const create = async (subnet: Record<string, unknown>, actor = member) =>
  net(actor, 'POST', '/subnets', { subnet: { ip_version: 4, network_id: await emptyNetwork(actor), ...subnet } });

describe('a subnet', () => {
  it('is created, shown, listed, changed and deleted as Neutron does it', async () => {
    const networkId = await emptyNetwork();
    const created = await net(member, 'POST', '/subnets', {
      subnet: { network_id: networkId, ip_version: 4, cidr: '10.1.2.0/24', name: 's', dns_nameservers: ['9.9.9.9'] },
    });
    expect(created.status).toBe(201);
    const { subnet } = created.body;
    expect(subnet).toEqual({
      id: expect.any(String),
      name: 's',
      tenant_id: member.projectId,
      project_id: member.projectId,
      network_id: networkId,
      ip_version: 4,
      cidr: '10.1.2.0/24',
      gateway_ip: '10.1.2.1',
      enable_dhcp: true,
      allocation_pools: [{ start: '10.1.2.2', end: '10.1.2.254' }],
      dns_nameservers: ['9.9.9.9'],
      host_routes: [],
      subnetpool_id: null,
      ipv6_ra_mode: null,
      ipv6_address_mode: null,
      segment_id: null,
      service_types: [],
      description: '',
      tags: [],
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
      revision_number: 1,
    });
    const network = (await net(member, 'GET', `/networks/${networkId}`)).body.network;
    expect(network).toMatchObject({ subnets: [subnet.id], revision_number: 2 });
    expect((await net(member, 'GET', `/subnets?network_id=${networkId}&cidr=10.1.2.0/24`)).body.subnets).toEqual([
      subnet,
    ]);
    const changed = await net(member, 'PUT', `/subnets/${subnet.id}`, {
      subnet: {
        gateway_ip: null,
        enable_dhcp: false,
        host_routes: [{ destination: '0.0.0.0/0', nexthop: '10.1.2.9' }],
      },
    });
    expect(changed.body.subnet).toMatchObject({
      gateway_ip: null,
      enable_dhcp: false,
      dns_nameservers: ['9.9.9.9'],
      revision_number: 2,
    });
    expect((await net(member, 'DELETE', `/subnets/${subnet.id}`)).status).toBe(204);
    const gone = await net(member, 'GET', `/subnets/${subnet.id}`);
    expect(gone.body.NeutronError).toEqual({
      type: 'SubnetNotFound',
      message: `Subnet ${subnet.id} could not be found.`,
      detail: '',
    });
  });

  it('has pools around its gateway, or those it names', async () => {
    const middle = await create({ cidr: '10.0.0.0/29', gateway_ip: '10.0.0.3' });
    expect(middle.body.subnet.allocation_pools).toEqual([
      { start: '10.0.0.1', end: '10.0.0.2' },
      { start: '10.0.0.4', end: '10.0.0.6' },
    ]);
    const none = await create({ cidr: '10.0.0.0/29', gateway_ip: null });
    expect(none.body.subnet.allocation_pools).toEqual([{ start: '10.0.0.1', end: '10.0.0.6' }]);
    const pools = [
      { start: '10.0.0.20', end: '10.0.0.30' },
      { start: '10.0.0.2', end: '10.0.0.9' },
    ];
    const named = await create({ cidr: '10.0.0.0/24', allocation_pools: pools });
    expect(named.body.subnet.allocation_pools).toEqual([pools[1], pools[0]]);
  });

  it('of IPv6 ends its pools where offsets are still exact', async () => {
    const { body } = await create({ ip_version: 6, cidr: '2001:db8::/64' });
    expect(body.subnet).toMatchObject({
      gateway_ip: '2001:db8::1',
      allocation_pools: [{ start: '2001:db8::2', end: '2001:db8::1f:ffff:ffff:ffff' }],
    });
    const past = [{ start: '2001:db8::2', end: '2001:db8::ffff:ffff:ffff:ffff' }];
    const whole = await create({ ip_version: 6, cidr: '2001:db8::/64', allocation_pools: past });
    expect(whole.body.subnet.allocation_pools).toEqual(past);
    const beyond = [{ start: '2001:db8::20:0:0:0', end: '2001:db8::ffff:ffff:ffff:ffff' }];
    const refused = await create({ ip_version: 6, cidr: '2001:db8::/64', allocation_pools: beyond });
    expect([refused.status, refused.body.NeutronError.type]).toEqual([400, 'InvalidInput']);
  });

  it.each([
    [{}, 400, 'BadRequest'],
    [{ cidr: '10.0.0.1/24' }, 400, 'HTTPBadRequest'],
    [{ cidr: 'ten' }, 400, 'InvalidInput'],
    [{ cidr: '010.0.0.0/24' }, 400, 'InvalidInput'],
    [{ cidr: '10.0.0.0/33' }, 400, 'InvalidInput'],
    [{ cidr: '0.0.0.0/0' }, 400, 'InvalidInput'],
    [{ cidr: '10.0.0.0/31' }, 400, 'InvalidInput'],
    [{ cidr: '224.0.0.0/24' }, 400, 'InvalidInput'],
    [{ cidr: '127.0.0.0/24' }, 400, 'InvalidInput'],
    [{ cidr: 'fd00::/64' }, 400, 'InvalidInput'],
    [{ cidr: '10.0.0.0/24', ip_version: 5 }, 400, 'HTTPBadRequest'],
    [{ cidr: '10.0.0.0/24', gateway_ip: '10.0.0.255' }, 400, 'InvalidInput'],
    [{ cidr: '10.0.0.0/24', gateway_ip: '8.8.8.8' }, 400, 'InvalidInput'],
    [{ cidr: '10.0.0.0/24', gateway_ip: 'fd00::1' }, 400, 'InvalidInput'],
    [{ cidr: '10.0.0.0/24', gateway_ip: 'x' }, 400, 'HTTPBadRequest'],
    [{ cidr: '10.0.0.0/24', dns_nameservers: ['x'] }, 400, 'HTTPBadRequest'],
    [{ cidr: '10.0.0.0/24', dns_nameservers: ['fd00::1'] }, 400, 'InvalidInput'],
    [{ cidr: '10.0.0.0/24', dns_nameservers: ['9.9.9.9', '9.9.9.9'] }, 400, 'HTTPBadRequest'],
    [{ cidr: '10.0.0.0/24', host_routes: [{ destination: '10.9.0.0/16' }] }, 400, 'HTTPBadRequest'],
    [{ cidr: '10.0.0.0/24', allocation_pools: [{ start: '10.0.0.9', end: '10.0.0.2' }] }, 400, 'InvalidAllocationPool'],
    [
      { cidr: '10.0.0.0/24', allocation_pools: [{ start: '10.0.0.9', end: '10.0.1.2' }] },
      400,
      'OutOfBoundsAllocationPool',
    ],
    [
      { cidr: '10.0.0.0/24', allocation_pools: [{ start: '10.0.0.1', end: '10.0.0.9' }] },
      409,
      'GatewayConflictWithAllocationPools',
    ],
    [
      {
        cidr: '10.0.0.0/24',
        allocation_pools: [
          { start: '10.0.0.2', end: '10.0.0.9' },
          { start: '10.0.0.9', end: '10.0.0.12' },
        ],
      },
      409,
      'OverlappingAllocationPools',
    ],
  ])('%j is refused', async (subnet, status, type) => {
    const answer = await create(subnet);
    expect([answer.status, answer.body.NeutronError.type]).toEqual([status, type]);
  });

  it('does not overlap with another of its network, not even when both are made at once', async () => {
    const { networkId } = await newNetwork(member, { cidr: '10.0.0.0/24' });
    const overlap = { subnet: { network_id: networkId, ip_version: 4, cidr: '10.0.0.128/25' } };
    const refused = await net(member, 'POST', '/subnets', overlap);
    expect(refused.body.NeutronError.message).toContain('overlaps with another subnet');
    const twice = [0, 1, 2, 3].map(() =>
      net(member, 'POST', '/subnets', { subnet: { network_id: networkId, ip_version: 4, cidr: '10.5.0.0/24' } }),
    );
    expect((await Promise.all(twice)).map(({ status }) => status).sort()).toEqual([201, 400, 400, 400]);
    const bulk = {
      subnets: ['10.6.0.0/24', '10.6.0.0/25'].map((cidr) => ({ network_id: networkId, ip_version: 4, cidr })),
    };
    expect((await net(member, 'POST', '/subnets', bulk)).status).toBe(400);
  });

  it('stays while a port has an address of it', async () => {
    const { networkId, subnetId } = await newNetwork(member);
    const { body } = await net(member, 'POST', '/ports', { port: { network_id: networkId } });
    const inUse = await net(member, 'DELETE', `/subnets/${subnetId}`);
    expect([inUse.status, inUse.body.NeutronError.type]).toEqual([409, 'SubnetInUse']);
    await net(member, 'DELETE', `/ports/${body.port.id}`);
    expect((await net(member, 'DELETE', `/subnets/${subnetId}`)).status).toBe(204);
  });

  it('keeps its gateway out of its pools when either changes', async () => {
    const { subnetId } = await newNetwork(member);
    const path = `/subnets/${subnetId}`;
    expect((await net(member, 'PUT', path, { subnet: { gateway_ip: '10.20.0.9' } })).status).toBe(409);
    const both = { gateway_ip: '10.20.0.9', allocation_pools: [{ start: '10.20.0.10', end: '10.20.0.20' }] };
    expect((await net(member, 'PUT', path, { subnet: both })).body.subnet).toMatchObject(both);
    expect((await net(member, 'PUT', path, { subnet: { cidr: '10.0.0.0/24' } })).status).toBe(400);
    expect((await net(member, 'PUT', path, { subnet: {} }, { 'if-match': 'revision_number=9' })).status).toBe(412);
  });
});

describe('who may', () => {
  it('the owner of the network, and an admin; others see subnets of shared networks', async () => {
    const shared = await newNetwork(admin, { shared: true });
    const own = await newNetwork(member);
    const stranger = inOwnRegion(await newMember(), admin.region);
    const into = (networkId: string) => ({ subnet: { network_id: networkId, ip_version: 4, cidr: '10.77.0.0/24' } });
    expect((await net(stranger, 'POST', '/subnets', into(shared.networkId))).status).toBe(403);
    const hidden = await net(stranger, 'POST', '/subnets', into(own.networkId));
    expect([hidden.status, hidden.body.NeutronError.type]).toEqual([404, 'NetworkNotFound']);
    expect((await net(stranger, 'GET', `/subnets/${shared.subnetId}`)).status).toBe(200);
    expect((await net(stranger, 'PUT', `/subnets/${shared.subnetId}`, { subnet: { name: 'x' } })).status).toBe(403);
    expect((await net(stranger, 'DELETE', `/subnets/${shared.subnetId}`)).status).toBe(403);
    expect((await net(stranger, 'GET', `/subnets/${own.subnetId}`)).status).toBe(404);
    expect((await net(stranger, 'DELETE', `/subnets/${own.subnetId}`)).status).toBe(404);
    const reader = inOwnRegion(await mintActor('reader', member.projectId), admin.region);
    expect((await net(reader, 'GET', `/subnets/${own.subnetId}`)).status).toBe(200);
    expect((await net(reader, 'POST', '/subnets', into(own.networkId))).status).toBe(403);
    expect((await net(reader, 'DELETE', `/subnets/${own.subnetId}`)).status).toBe(403);
    expect((await net(admin, 'DELETE', `/subnets/${own.subnetId}`)).status).toBe(204);
    expect((await net(null, 'GET', '/subnets')).status).toBe(401);
  });
});
