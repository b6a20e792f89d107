import { beforeAll, describe, expect, it } from 'vitest';
import { inOwnRegion, type NetActor, net, newMember, newNetwork } from '../../../test/edge-network.ts';
import { mintActor } from '../../../test/edge-tokens.ts';

let member: NetActor;
let admin: NetActor;
let networkId: string;
let subnetId: string;
beforeAll(async () => {
  admin = inOwnRegion(await mintActor('admin'));
  member = inOwnRegion(await newMember(), admin.region);
  ({ networkId, subnetId } = await newNetwork(member));
});

const create = (port: Record<string, unknown> = {}, actor = member) =>
  net(actor, 'POST', '/ports', { port: { network_id: networkId, ...port } });
const defaultGroupOf = async (actor: NetActor): Promise<string> =>
  (await net(actor, 'GET', '/security-groups?name=default')).body.security_groups[0].id;
const problem = (answer: Awaited<ReturnType<typeof net>>) => [answer.status, answer.body.NeutronError.type];

describe('a port', () => {
  it('is created, shown, changed and deleted as Neutron does it', async () => {
    const created = await create({ name: 'p', dns_name: 'web' });
    expect(created.status).toBe(201);
    const { port } = created.body;
    expect(port).toEqual({
      id: expect.any(String),
      name: 'p',
      network_id: networkId,
      tenant_id: member.projectId,
      project_id: member.projectId,
      mac_address: expect.stringMatching(/^fa:16:3e(:[0-9a-f]{2}){3}$/),
      admin_state_up: true,
      status: 'DOWN',
      device_id: '',
      device_owner: '',
      fixed_ips: [{ subnet_id: subnetId, ip_address: expect.stringMatching(/^10\.20\.0\.\d+$/) }],
      security_groups: [await defaultGroupOf(member)],
      port_security_enabled: true,
      qos_policy_id: null,
      qos_network_policy_id: null,
      allowed_address_pairs: [],
      extra_dhcp_opts: [],
      dns_name: 'web',
      dns_assignment: [{ hostname: 'web', ip_address: port.fixed_ips[0].ip_address, fqdn: 'web.' }],
      'binding:vnic_type': 'normal',
      description: '',
      tags: [],
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
      revision_number: 1,
    });
    expect((await net(admin, 'GET', `/ports/${port.id}`)).body.port).toMatchObject({
      'binding:host_id': '',
      'binding:profile': {},
      'binding:vif_type': 'unbound',
      'binding:vif_details': {},
    });
    const changed = await net(member, 'PUT', `/ports/${port.id}`, {
      port: { name: 'q', device_id: 'd', security_groups: [] },
    });
    expect(changed.body.port).toMatchObject({
      name: 'q',
      device_id: 'd',
      security_groups: [],
      fixed_ips: port.fixed_ips,
      revision_number: 2,
    });
    expect((await net(member, 'DELETE', `/ports/${port.id}`)).status).toBe(204);
    const gone = await net(member, 'DELETE', `/ports/${port.id}`);
    expect(gone.body.NeutronError).toEqual({
      type: 'PortNotFound',
      message: `Port ${port.id} could not be found.`,
      detail: '',
    });
  });

  it('gets the address it asks for, and no other gets it', async () => {
    const wanted = [{ ip_address: '10.20.0.77' }];
    const first = await create({ fixed_ips: wanted });
    expect(first.body.port.fixed_ips).toEqual([{ subnet_id: subnetId, ip_address: '10.20.0.77' }]);
    expect(problem(await create({ fixed_ips: wanted }))).toEqual([409, 'IpAddressAlreadyAllocated']);
    const both = { ports: [0, 1].map(() => ({ network_id: networkId, fixed_ips: [{ ip_address: '10.20.0.78' }] })) };
    expect(problem(await net(member, 'POST', '/ports', both))).toEqual([409, 'IpAddressAlreadyAllocated']);
    const racing = await Promise.all(
      [0, 1, 2, 3].map(() => create({ fixed_ips: [{ subnet_id: subnetId, ip_address: '10.20.0.79' }] })),
    );
    expect(racing.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  });

  it.each([
    [{ fixed_ips: [{ ip_address: '10.21.0.1' }] }, 400, 'InvalidIpForNetwork'],
    [{ fixed_ips: [{ ip_address: '10.20.0.255' }] }, 400, 'InvalidIpForNetwork'],
    [{ fixed_ips: [{ ip_address: 'x' }] }, 400, 'HTTPBadRequest'],
    [{ fixed_ips: [{}] }, 400, 'InvalidInput'],
    [{ fixed_ips: [{ subnet_id: '00000000-0000-4000-8000-000000000000' }] }, 400, 'InvalidInput'],
    [{ fixed_ips: [{ ip_address: '10.20.0.5' }, { ip_address: '10.20.0.5' }] }, 400, 'HTTPBadRequest'],
    [{ fixed_ips: [{ ip_address: '10.20.0.1' }] }, 409, 'IpAddressInUse'],
    [{ mac_address: 'zz' }, 400, 'HTTPBadRequest'],
    [{ mac_address: '01:00:5e:00:00:01' }, 400, 'HTTPBadRequest'],
    [{ security_groups: ['x'] }, 400, 'HTTPBadRequest'],
    [{ security_groups: ['00000000-0000-4000-8000-000000000000'] }, 404, 'SecurityGroupNotFound'],
    [{ network_id: '00000000-0000-4000-8000-000000000000' }, 404, 'NetworkNotFound'],
    [{ 'binding:vnic_type': 'direct' }, 400, 'HTTPBadRequest'],
    [{ 'binding:host_id': 'h' }, 400, 'HTTPBadRequest'],
    [{ dns_name: 'not_a_label' }, 400, 'HTTPBadRequest'],
  ])('%j is refused', async (port, status, type) => {
    expect(problem(await create(port))).toEqual([status, type]);
  });

  it('keeps, adds and gives back addresses as an update names them', async () => {
    const { port } = (await create({ fixed_ips: [{ ip_address: '10.20.0.90' }] })).body;
    const update = (fixed_ips: unknown[]) => net(member, 'PUT', `/ports/${port.id}`, { port: { fixed_ips } });
    const more = await update([{ subnet_id: subnetId }, { ip_address: '10.20.0.91' }]);
    expect(more.body.port.fixed_ips).toEqual([
      { subnet_id: subnetId, ip_address: '10.20.0.90' },
      { subnet_id: subnetId, ip_address: '10.20.0.91' },
    ]);
    expect((await update([{ ip_address: '10.20.0.91' }])).body.port.fixed_ips).toHaveLength(1);
    expect((await create({ fixed_ips: [{ ip_address: '10.20.0.90' }] })).status).toBe(201);
    expect(problem(await update([{ ip_address: '10.20.0.90' }]))).toEqual([409, 'IpAddressAlreadyAllocated']);
    const none = await update([]);
    expect(none.body.port).toMatchObject({ fixed_ips: [], security_groups: [await defaultGroupOf(member)] });
  });

  it('has no groups without port security, and no default group as a network device', async () => {
    expect((await create({ port_security_enabled: false })).body.port.security_groups).toEqual([]);
    const group = await defaultGroupOf(member);
    const insecure = { port_security_enabled: false, security_groups: [group] };
    expect(problem(await create(insecure))).toEqual([400, 'PortSecurityAndIPRequiredForSecurityGroups']);
    expect((await create({ device_owner: 'network:x' })).body.port.security_groups).toEqual([]);
    const { port } = (await create()).body;
    const off = await net(member, 'PUT', `/ports/${port.id}`, { port: { port_security_enabled: false } });
    expect(problem(off)).toEqual([409, 'PortSecurityPortHasSecurityGroup']);
  });

  it('keeps a MAC for itself', async () => {
    const mac_address = `02:16:3e:${crypto
      .randomUUID()
      .slice(0, 6)
      .replace(/(..)(..)(..)/, '$1:$2:$3')}`;
    expect((await create({ mac_address })).body.port.mac_address).toBe(mac_address);
    expect(problem(await create({ mac_address }))).toEqual([409, 'MacAddressInUse']);
    const manager = inOwnRegion(await mintActor('manager', member.projectId), admin.region);
    const { port } = (await create()).body;
    const path = `/ports/${port.id}`;
    expect((await net(member, 'PUT', path, { port: { mac_address } })).status).toBe(403);
    expect(problem(await net(manager, 'PUT', path, { port: { mac_address } }))).toEqual([409, 'MacAddressInUse']);
  });

  it('has no address where its network has no subnet, and one of each version where it has both', async () => {
    const { body } = await net(member, 'POST', '/networks', { network: {} });
    const network_id = body.network.id;
    expect((await create({ network_id })).body.port).toMatchObject({
      fixed_ips: [],
      security_groups: [await defaultGroupOf(member)],
    });
    expect(problem(await create({ network_id, fixed_ips: [{ ip_address: '10.0.0.5' }] }))).toEqual([
      400,
      'InvalidInput',
    ]);
    const subnets = [
      { network_id, ip_version: 4, cidr: '10.0.0.0/24' },
      { network_id, ip_version: 6, cidr: 'fd00:1::/64' },
    ];
    await net(member, 'POST', '/subnets', { subnets });
    const { port } = (await create({ network_id })).body;
    expect(port.fixed_ips.map((one: { ip_address: string }) => one.ip_address.includes(':'))).toEqual([false, true]);
  });
});

describe('who may', () => {
  it('a project on its own and on shared networks; only the owner of a network names what it likes there', async () => {
    const shared = await newNetwork(admin, { shared: true, cidr: '10.30.0.0/24' });
    const stranger = inOwnRegion(await newMember(), admin.region);
    const on = (port: Record<string, unknown>) => create({ network_id: shared.networkId, ...port }, stranger);
    const { port } = (await on({})).body;
    expect(port.project_id).toBe(stranger.projectId);
    expect((await on({ fixed_ips: [{ subnet_id: shared.subnetId }] })).status).toBe(201);
    for (const special of [
      { fixed_ips: [{ ip_address: '10.30.0.9' }] },
      { mac_address: '02:00:00:00:00:01' },
      { device_owner: 'network:dhcp' },
      { port_security_enabled: false },
    ]) {
      expect([special, problem(await on(special))]).toEqual([special, [403, 'PolicyNotAuthorized']]);
    }
    expect((await create({}, stranger)).status).toBe(404);
    expect((await net(stranger, 'PUT', `/ports/${port.id}`, { port: { fixed_ips: [] } })).status).toBe(403);
    expect((await net(member, 'GET', `/ports/${port.id}`)).status).toBe(404);
    expect((await net(admin, 'GET', `/ports/${port.id}`)).status).toBe(200);
  });

  it('a network owner sees and removes the ports of others on it, and does not change them', async () => {
    const owner = inOwnRegion(await mintActor('member'), admin.region);
    const network = await newNetwork(owner);
    const guest = inOwnRegion(await newMember(), admin.region);
    const given = { network_id: network.networkId, project_id: guest.projectId };
    const { port } = (await net(admin, 'POST', '/ports', { port: given })).body;
    expect((await net(owner, 'GET', `/ports/${port.id}`)).status).toBe(200);
    expect((await net(owner, 'PUT', `/ports/${port.id}`, { port: { name: 'x' } })).status).toBe(403);
    expect((await net(guest, 'PUT', `/ports/${port.id}`, { port: { name: 'x' } })).status).toBe(200);
    expect((await net(owner, 'DELETE', `/ports/${port.id}`)).status).toBe(204);
  });

  it('a reader reads', async () => {
    const { port } = (await create()).body;
    const reader = inOwnRegion(await mintActor('reader', member.projectId), admin.region);
    expect((await net(reader, 'GET', `/ports/${port.id}`)).status).toBe(200);
    expect((await create({}, reader)).status).toBe(403);
    expect((await net(reader, 'PUT', `/ports/${port.id}`, { port: { name: 'x' } })).status).toBe(403);
    expect((await net(reader, 'DELETE', `/ports/${port.id}`)).status).toBe(403);
    expect((await net(null, 'POST', '/ports', { port: {} })).status).toBe(401);
  });
});

describe('a list of ports', () => {
  it('is filtered by address, device, group and place', async () => {
    const actor = await newMember();
    const made = await newNetwork(actor);
    const port = { network_id: made.networkId, device_id: 'dev', fixed_ips: [{ ip_address: '10.20.0.42' }] };
    const { id } = (await net(actor, 'POST', '/ports', { port })).body.port;
    await net(actor, 'POST', '/ports', {
      port: { network_id: made.networkId, fixed_ips: [{ ip_address: '10.20.0.50' }] },
    });
    const found = async (query: string) =>
      (await net(actor, 'GET', `/ports?${query}`)).body.ports.map((one: { id: string }) => one.id);
    expect(await found('fixed_ips=ip_address%3D10.20.0.42')).toEqual([id]);
    expect(await found('fixed_ips=ip_address_substr%3D0.42')).toEqual([id]);
    expect(await found(`fixed_ips=subnet_id%3D${made.subnetId}`)).toHaveLength(2);
    expect(await found('device_id=dev')).toEqual([id]);
    expect(await found('device_id=')).toHaveLength(1);
    expect(await found(`security_groups=${await defaultGroupOf(actor)}`)).toHaveLength(2);
    expect(await found('binding:host_id=nowhere')).toEqual([]);
    expect(await found('status=ACTIVE&status=DOWN')).toHaveLength(2);
    expect((await net(actor, 'GET', '/ports?fixed_ips=nonsense')).status).toBe(400);
  });
});
