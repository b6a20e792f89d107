import { beforeEach, describe, expect, it } from 'vitest';
import { inOwnRegion, type NetActor, net, newMember, newNetwork } from '../../../test/edge-network.ts';
import { mintActor } from '../../../test/edge-tokens.ts';

let member: NetActor;
let other: NetActor;
let admin: NetActor;
beforeEach(async () => {
  member = inOwnRegion(await newMember());
  other = inOwnRegion(await newMember(), member.region);
  admin = inOwnRegion(await mintActor('admin'), member.region);
});

const fault = ({ status, body }: Awaited<ReturnType<typeof net>>) => [status, body?.NeutronError?.type];
const newPool = (pool: object, as: NetActor = member) =>
  net(as, 'POST', '/subnetpools', { subnetpool: { name: 'p', prefixes: ['10.8.0.0/16'], ...pool } });
const made = async (pool: object, as: NetActor = member) => (await newPool(pool, as)).body.subnetpool;
const newSubnet = async (subnet: object, as: NetActor = member) => {
  const { body } = await net(as, 'POST', '/networks', { network: {} });
  return net(as, 'POST', '/subnets', { subnet: { network_id: body.network.id, ip_version: 4, ...subnet } });
};
const action = (id: string, name: string, body: object, as: NetActor = member) =>
  net(as, 'PUT', `/subnetpools/${id}/${name}`, body);

describe('a subnet pool', () => {
  it('is shown with its usual lengths, its prefixes as few as can be, and changed', async () => {
    const pool = await made({ prefixes: ['10.1.0.0/17', '10.1.128.5/17', '10.0.0.0/16'] });
    expect(pool).toMatchObject({
      name: 'p',
      ip_version: 4,
      prefixes: ['10.0.0.0/15'],
      min_prefixlen: '8',
      max_prefixlen: '32',
      default_prefixlen: '8',
      default_quota: null,
      is_default: false,
      shared: false,
      address_scope_id: null,
      project_id: member.projectId,
      tags: [],
      revision_number: 0,
    });
    const path = `/subnetpools/${pool.id}`;
    const put = (subnetpool: object) => net(member, 'PUT', path, { subnetpool });
    expect((await put({ name: 'q', default_prefixlen: 26, min_prefixlen: 24 })).body.subnetpool).toMatchObject({
      name: 'q',
      default_prefixlen: '26',
      min_prefixlen: '24',
      revision_number: 1,
    });
    expect((await put({ prefixes: ['10.0.0.0/14'] })).body.subnetpool.prefixes).toEqual(['10.0.0.0/14']);
    expect(fault(await put({ prefixes: ['10.0.0.0/15'] }))).toEqual([400, 'IllegalSubnetPoolPrefixUpdate']);
    expect((await net(member, 'PUT', `${path}/tags`, { tags: ['a'] })).status).toBe(200);
    expect((await net(member, 'GET', '/subnetpools?tags=a')).body.subnetpools).toHaveLength(1);
    expect((await net(member, 'DELETE', path)).status).toBe(204);
    expect(fault(await net(member, 'GET', path))).toEqual([404, 'SubnetPoolNotFound']);
  });

  it.each([
    [{ prefixes: [] }, 'EmptySubnetPoolPrefixList'],
    [{ prefixes: ['10.0.0.0/8', '2001:db8::/48'] }, 'PrefixVersionMismatch'],
    [{ min_prefixlen: 25, max_prefixlen: 24 }, 'IllegalSubnetPoolPrefixBounds'],
    [{ max_prefixlen: 33 }, 'IllegalSubnetPoolPrefixBounds'],
    [{ default_prefixlen: 7 }, 'IllegalSubnetPoolPrefixBounds'],
    [{ name: ' ' }, 'HTTPBadRequest'],
  ])('%j is refused', async (pool, type) => {
    expect(fault(await newPool(pool))).toEqual([400, type]);
  });

  it('is used by others where it is shared', async () => {
    const pool = await made({ default_prefixlen: 24 });
    expect(fault(await newSubnet({ subnetpool_id: pool.id }, other))).toEqual([404, 'SubnetPoolNotFound']);
    expect((await newPool({ shared: true })).status).toBe(403);
    const shared = await made({ shared: true, default_prefixlen: 24 }, admin);
    expect(shared.shared).toBe(true);
    expect((await newSubnet({ subnetpool_id: shared.id }, other)).status).toBe(201);
    const sharing = { object_type: 'subnetpool', object_id: pool.id, action: 'access_as_shared' };
    const policy = await net(member, 'POST', '/rbac-policies', {
      rbac_policy: { ...sharing, target_tenant: other.projectId },
    });
    expect((await newSubnet({ subnetpool_id: pool.id }, other)).status).toBe(201);
    const path = `/rbac-policies/${policy.body.rbac_policy.id}`;
    expect(fault(await net(member, 'DELETE', path))).toEqual([409, 'RbacPolicyInUse']);
  });

  it('is the default once for an IP version', async () => {
    expect((await newPool({ is_default: true })).status).toBe(403);
    expect(fault(await newSubnet({ use_default_subnetpool: true }))).toEqual([400, 'BadRequest']);
    const first = await made({ is_default: true, shared: true, default_prefixlen: 26 }, admin);
    expect(fault(await newPool({ is_default: true }, admin))).toEqual([400, 'InvalidInput']);
    expect((await newPool({ is_default: true, prefixes: ['2001:db8::/48'] }, admin)).status).toBe(201);
    const subnet = await newSubnet({ use_default_subnetpool: true });
    expect(subnet.body.subnet).toMatchObject({ subnetpool_id: first.id, cidr: '10.8.0.0/26', gateway_ip: '10.8.0.1' });
  });
});

describe('a subnet of a pool', () => {
  it('gets a range of the usual length, another length, or the very one it names', async () => {
    const pool = await made({ default_prefixlen: 24, min_prefixlen: 20, max_prefixlen: 28 });
    const cidr = async (wish: object) => (await newSubnet({ subnetpool_id: pool.id, ...wish })).body.subnet.cidr;
    expect(await cidr({})).toBe('10.8.0.0/24');
    expect(await cidr({ prefixlen: 28 })).toBe('10.8.1.0/28');
    // The smallest gap that it fits.
    expect(await cidr({ prefixlen: 25 })).toBe('10.8.1.128/25');
    expect(await cidr({ cidr: '10.8.200.0/22' })).toBe('10.8.200.0/22');
    const refused = async (wish: object) => fault(await newSubnet({ subnetpool_id: pool.id, ...wish }));
    expect(await refused({ cidr: '10.8.200.0/24' })).toEqual([409, 'SubnetAllocationError']);
    expect(await refused({ cidr: '10.9.0.0/24' })).toEqual([409, 'SubnetAllocationError']);
    expect(await refused({ prefixlen: 29 })).toEqual([400, 'MaxPrefixSubnetAllocationError']);
    expect(await refused({ prefixlen: 19 })).toEqual([400, 'MinPrefixSubnetAllocationError']);
    expect(await refused({ prefixlen: 24, cidr: '10.8.3.0/24' })).toEqual([400, 'BadRequest']);
    expect(await refused({ ip_version: 6 })).toEqual([400, 'BadRequest']);
    expect(fault(await net(member, 'DELETE', `/subnetpools/${pool.id}`))).toEqual([400, 'SubnetPoolDeleteError']);
  });

  it('never meets another one, whatever races; and no range is lost', async () => {
    const pool = await made({ prefixes: ['10.8.0.0/20'], default_prefixlen: 24 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => newSubnet({ subnetpool_id: pool.id })));
    const cidrs = answers.flatMap(({ body }) => body.subnet?.cidr ?? []);
    expect(new Set(cidrs).size).toBe(cidrs.length);
    expect(cidrs).toHaveLength(16);
    const refused = answers.filter(({ status }) => status !== 201).map(fault);
    expect(refused).toEqual(Array(4).fill([409, 'SubnetAllocationError']));
  });

  it('counts against what a project may have of the pool', async () => {
    const pool = await made({ default_prefixlen: 26, default_quota: 128 });
    expect((await newSubnet({ subnetpool_id: pool.id })).status).toBe(201);
    expect((await newSubnet({ subnetpool_id: pool.id })).status).toBe(201);
    expect(fault(await newSubnet({ subnetpool_id: pool.id }))).toEqual([409, 'SubnetPoolQuotaExceeded']);
    const wide = await made({ prefixes: ['2001:db8::/48'], default_prefixlen: 64, default_quota: 2 });
    const six = { subnetpool_id: wide.id, ip_version: 6 };
    const first = await newSubnet(six);
    expect([first.status, first.body.subnet.cidr]).toEqual([201, '2001:db8::/64']);
    expect((await newSubnet(six)).status).toBe(201);
    expect(fault(await newSubnet(six))).toEqual([409, 'SubnetPoolQuotaExceeded']);
  });

  it('is of the pool that the network has its others of', async () => {
    const [one, two] = [await made({ default_prefixlen: 24 }), await made({ default_prefixlen: 24 })];
    const { body } = await newSubnet({ subnetpool_id: one.id });
    const more = (wish: object) =>
      net(member, 'POST', '/subnets', { subnet: { network_id: body.subnet.network_id, ip_version: 4, ...wish } });
    expect((await more({ subnetpool_id: one.id })).status).toBe(201);
    expect(fault(await more({ subnetpool_id: two.id }))).toEqual([400, 'NetworkSubnetPoolAffinityError']);
    expect(fault(await more({ cidr: '192.168.0.0/24' }))).toEqual([400, 'NetworkSubnetPoolAffinityError']);
    expect((await more({ ip_version: 6, cidr: '2001:db8::/64' })).status).toBe(201);
  });
});

describe('prefixes of a pool', () => {
  it('are added and removed, but not under a subnet', async () => {
    const pool = await made({ default_prefixlen: 24 });
    await newSubnet({ subnetpool_id: pool.id });
    const added = await action(pool.id, 'add_prefixes', { prefixes: ['10.9.0.0/16'] });
    expect([added.status, added.body]).toEqual([200, { prefixes: ['10.8.0.0/15'] }]);
    const in_use = await action(pool.id, 'remove_prefixes', { prefixes: ['10.8.0.0/24'] });
    expect(fault(in_use)).toEqual([400, 'IllegalSubnetPoolPrefixUpdate']);
    const removed = await action(pool.id, 'remove_prefixes', { prefixes: ['10.9.0.0/16'] });
    expect(removed.body).toEqual({ prefixes: ['10.8.0.0/16'] });
    expect((await action(pool.id, 'add_prefixes', { prefixes: [] })).status).toBe(400);
  });

  it('grow by the subnets that a network brings', async () => {
    const pool = await made({});
    const { networkId, subnetId } = await newNetwork(member, { cidr: '192.168.7.0/24' });
    const { status, body } = await action(pool.id, 'onboard_network_subnets', { network_id: networkId });
    expect([status, body]).toEqual([200, [{ id: subnetId, cidr: '192.168.7.0/24' }]]);
    expect((await net(member, 'GET', `/subnets/${subnetId}`)).body.subnet.subnetpool_id).toBe(pool.id);
    const grown = (await net(member, 'GET', `/subnetpools/${pool.id}`)).body.subnetpool.prefixes;
    expect(grown).toEqual(['10.8.0.0/16', '192.168.7.0/24']);
    const again = await newNetwork(member, { cidr: '192.168.7.0/25' });
    expect(fault(await action(pool.id, 'onboard_network_subnets', { network_id: again.networkId }))).toEqual([
      400,
      'IllegalSubnetPoolUpdate',
    ]);
    const shared = await newNetwork(admin, { shared: true });
    expect((await action(pool.id, 'onboard_network_subnets', { network_id: shared.networkId })).status).toBe(403);
  });
});

describe('an address scope', () => {
  const newScope = async (scope: object = {}, as: NetActor = member) =>
    (await net(as, 'POST', '/address-scopes', { address_scope: { name: 's', ip_version: 4, ...scope } })).body
      .address_scope;

  it('is made, renamed, shared for good, and removed when no pool is in it', async () => {
    const scope = await newScope();
    expect(scope).toEqual({
      id: expect.any(String),
      name: 's',
      ip_version: 4,
      shared: false,
      project_id: member.projectId,
      tenant_id: member.projectId,
    });
    const path = `/address-scopes/${scope.id}`;
    expect((await net(member, 'PUT', path, { address_scope: { name: 't' } })).body.address_scope.name).toBe('t');
    const pool = await made({ address_scope_id: scope.id });
    expect(pool.address_scope_id).toBe(scope.id);
    expect(fault(await net(member, 'DELETE', path))).toEqual([409, 'AddressScopeInUse']);
    expect(fault(await net(other, 'GET', path))).toEqual([404, 'AddressScopeNotFound']);
    expect((await net(admin, 'PUT', path, { address_scope: { shared: true } })).body.address_scope.shared).toBe(true);
    expect((await net(other, 'GET', path)).status).toBe(200);
    expect(fault(await net(admin, 'PUT', path, { address_scope: { shared: false } }))).toEqual([
      400,
      'AddressScopeUpdateError',
    ]);
    expect(
      (await net(member, 'PUT', `/subnetpools/${pool.id}`, { subnetpool: { address_scope_id: null } })).status,
    ).toBe(200);
    expect((await net(member, 'DELETE', path)).status).toBe(204);
  });

  it('has no address in two pools, whatever races, and is shown by its networks', async () => {
    const scope = await newScope();
    const [one, two, apart] = [
      await made({ default_prefixlen: 24 }),
      await made({}),
      await made({ prefixes: ['10.7.0.0/16'], default_prefixlen: 24 }),
    ];
    const join = (pool: { id: string }) =>
      net(member, 'PUT', `/subnetpools/${pool.id}`, { subnetpool: { address_scope_id: scope.id } });
    const joined = await Promise.all([join(one), join(two)]);
    expect(joined.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect((await join(apart)).status).toBe(200);
    expect(fault(await newPool({ address_scope_id: scope.id }))).toEqual([409, 'AddressScopePrefixConflict']);
    const six = await newPool({ address_scope_id: scope.id, prefixes: ['2001:db8::/48'] });
    expect(fault(six)).toEqual([400, 'IllegalSubnetPoolIpVersionAssociationToAddressScope']);
    const subnet = (await newSubnet({ subnetpool_id: apart.id })).body.subnet;
    const network = (await net(member, 'GET', `/networks/${subnet.network_id}`)).body.network;
    expect([network.ipv4_address_scope, network.ipv6_address_scope]).toEqual([scope.id, null]);
    const [winner] = joined.flatMap(({ body }) => body.subnetpool?.id ?? []);
    const more = { network_id: subnet.network_id, ip_version: 4, subnetpool_id: winner, prefixlen: 24 };
    // Another pool of the same scope may serve the same network.
    expect((await net(member, 'POST', '/subnets', { subnet: more })).status).toBe(201);
    const outside = await made({ prefixes: ['10.6.0.0/16'], default_prefixlen: 24 });
    expect(fault(await net(member, 'POST', '/subnets', { subnet: { ...more, subnetpool_id: outside.id } }))).toEqual([
      400,
      'NetworkAddressScopeAffinityError',
    ]);
  });
});
