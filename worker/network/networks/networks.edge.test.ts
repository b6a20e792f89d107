import { beforeAll, describe, expect, it } from 'vitest';
import { inOwnRegion, type NetActor, net, newMember, newNetwork } from '../../../test/edge-network.ts';
import { type Actor, mintActor } from '../../../test/edge-tokens.ts';

let member: NetActor;
let admin: NetActor;
beforeAll(async () => {
  admin = inOwnRegion(await mintActor('admin'));
  member = inOwnRegion(await newMember(), admin.region);
});

describe('a network', () => {
  it('is created, shown, listed, changed and deleted as Neutron does it', async () => {
    const created = await net(member, 'POST', '/networks', { network: { name: 'blue', description: 'd' } });
    expect(created.status).toBe(201);
    const { network } = created.body;
    expect(network).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'blue',
      tenant_id: member.projectId,
      project_id: member.projectId,
      admin_state_up: true,
      mtu: 1450,
      status: 'ACTIVE',
      subnets: [],
      shared: false,
      availability_zone_hints: [],
      availability_zones: [],
      ipv4_address_scope: null,
      ipv6_address_scope: null,
      'router:external': false,
      description: 'd',
      port_security_enabled: true,
      qos_policy_id: null,
      tags: [],
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      updated_at: expect.stringMatching(/Z$/),
      revision_number: 1,
    });
    expect((await net(member, 'GET', `/networks/${network.id}`)).body.network).toEqual(network);
    const changed = await net(member, 'PUT', `/networks/${network.id}`, { network: { name: 'green', mtu: 1400 } });
    expect(changed.status).toBe(200);
    expect(changed.body.network).toMatchObject({ name: 'green', mtu: 1400, description: 'd', revision_number: 2 });
    expect((await net(member, 'DELETE', `/networks/${network.id}`)).status).toBe(204);
    const gone = await net(member, 'GET', `/networks/${network.id}`);
    expect(gone.status).toBe(404);
    expect(gone.body).toEqual({
      NeutronError: { type: 'NetworkNotFound', message: `Network ${network.id} could not be found.`, detail: '' },
    });
  });

  it('shows an admin its place on the wire', async () => {
    const created = await net(admin, 'POST', '/networks', { network: { 'provider:network_type': 'local' } });
    expect(created.body.network).toMatchObject({
      'provider:network_type': 'local',
      'provider:physical_network': null,
      'provider:segmentation_id': null,
    });
    const unknown = await net(admin, 'POST', '/networks', { network: { 'provider:network_type': 'gre' } });
    expect(unknown.status).toBe(400);
    expect(unknown.body.NeutronError.type).toBe('InvalidInput');
  });

  describe('on the wire', () => {
    const place = (type: string, physical: string | null, id: number | null) => ({
      network: {
        'provider:network_type': type,
        ...(physical === null ? {} : { 'provider:physical_network': physical }),
        ...(id === null ? {} : { 'provider:segmentation_id': id }),
      },
    });
    const placeOf = (network: Record<string, unknown>) => [
      network['provider:network_type'],
      network['provider:physical_network'],
      network['provider:segmentation_id'],
      network.mtu,
    ];

    it('is a VXLAN of a number of its own where nobody says, and what an admin says', async () => {
      const made = await net(member, 'POST', '/networks', { networks: [{}, {}, {}] });
      const shown = await net(admin, 'GET', `/networks?project_id=${member.projectId}&provider:network_type=vxlan`);
      const ids = shown.body.networks.map((one: Record<string, unknown>) => one['provider:segmentation_id']);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.length).toBeGreaterThanOrEqual(made.body.networks.length);
      const physical = `p${crypto.randomUUID().slice(0, 8)}`;
      const create = async (body: object) => placeOf((await net(admin, 'POST', '/networks', body)).body.network);
      expect(await create(place('flat', physical, null))).toEqual(['flat', physical, null, 1500]);
      expect(await create(place('vlan', physical, 7))).toEqual(['vlan', physical, 7, 1500]);
      expect(await create(place('vlan', physical, null))).toEqual(['vlan', physical, expect.any(Number), 1500]);
      expect(await create(place('local', null, null))).toEqual(['local', null, null, 1500]);
    });

    it('is on no place that another has, nor on one that cannot be', async () => {
      const physical = `p${crypto.randomUUID().slice(0, 8)}`;
      const vni = 1 + Math.floor(Math.random() * 0xff_fffe);
      for (const [body, type] of [
        [place('vxlan', null, vni), 'TunnelIdInUse'],
        [place('vlan', physical, 9), 'VlanIdInUse'],
        [place('flat', physical, null), 'FlatNetworkInUse'],
      ] as const) {
        expect((await net(admin, 'POST', '/networks', body)).status).toBe(201);
        const again = await net(admin, 'POST', '/networks', body);
        expect([again.status, again.body.NeutronError?.type]).toEqual([409, type]);
      }
      for (const body of [
        place('vxlan', physical, null),
        place('vxlan', null, 0x100_0000),
        place('vlan', null, 9),
        place('vlan', physical, 4095),
        place('flat', null, null),
        place('flat', physical, 1),
        place('local', null, 1),
        place('vlan', 'a b', 1),
        { network: { 'provider:segmentation_id': 5 } },
      ]) {
        expect((await net(admin, 'POST', '/networks', body)).status).toBe(400);
      }
    });

    it('has its machines as gateways where an admin shares it, or says so', async () => {
      const create = async (network: object) =>
        (await net(admin, 'POST', '/networks', { network })).body.network.multi_host;
      expect(await create({})).toBe(false);
      expect(await create({ shared: true })).toBe(true);
      expect(await create({ shared: true, multi_host: false })).toBe(false);
      expect(await create({ multi_host: true })).toBe(true);
    });
  });

  it('is made in bulk, all or none', async () => {
    const actor = await newMember();
    const bulk = await net(actor, 'POST', '/networks', { networks: [{ name: 'a' }, { network: { name: 'b' } }] });
    expect(bulk.status).toBe(201);
    expect(bulk.body.networks.map((one: { name: string }) => one.name)).toEqual(['a', 'b']);
    const refused = await net(actor, 'POST', '/networks', { networks: [{ name: 'c' }, { name: 'd', shared: true }] });
    expect(refused.status).toBe(403);
    expect((await net(actor, 'GET', '/networks?name=c')).body.networks).toEqual([]);
    expect((await net(actor, 'POST', '/networks', { networks: [] })).status).toBe(400);
  });

  it('keeps to the revision that If-Match names', async () => {
    const { body } = await net(member, 'POST', '/networks', { network: {} });
    const path = `/networks/${body.network.id}`;
    const wrong = await net(member, 'PUT', path, { network: { name: 'x' } }, { 'if-match': 'revision_number=7' });
    expect(wrong.status).toBe(412);
    expect(wrong.body.NeutronError.type).toBe('RevisionNumberConstraintFailed');
    const bad = await net(member, 'PUT', path, { network: { name: 'x' } }, { 'if-match': 'revision_number=x' });
    expect(bad.status).toBe(400);
    const right = await net(member, 'PUT', path, { network: { name: 'x' } }, { 'if-match': 'revision_number=1' });
    expect(right.status).toBe(200);
    expect((await net(member, 'DELETE', path, undefined, { 'if-match': 'revision_number=1' })).status).toBe(412);
    expect((await net(member, 'DELETE', path, undefined, { 'if-match': '"revision_number=2"' })).status).toBe(204);
  });

  it('goes with its subnets, and not while it has ports', async () => {
    const { networkId, subnetId } = await newNetwork(member);
    const { body } = await net(member, 'POST', '/ports', { port: { network_id: networkId } });
    const inUse = await net(member, 'DELETE', `/networks/${networkId}`);
    expect(inUse.status).toBe(409);
    expect(inUse.body.NeutronError.type).toBe('NetworkInUse');
    await net(member, 'DELETE', `/ports/${body.port.id}`);
    expect((await net(member, 'DELETE', `/networks/${networkId}`)).status).toBe(204);
    expect((await net(member, 'GET', `/subnets/${subnetId}`)).status).toBe(404);
  });

  it('is not unshared while others have ports on it', async () => {
    const { networkId } = await newNetwork(admin, { shared: true });
    const { body } = await net(member, 'POST', '/ports', { port: { network_id: networkId } });
    const refused = await net(admin, 'PUT', `/networks/${networkId}`, { network: { shared: false } });
    expect(refused.status).toBe(409);
    expect(refused.body.NeutronError.type).toBe('InvalidSharedSetting');
    await net(member, 'DELETE', `/ports/${body.port.id}`);
    expect((await net(admin, 'PUT', `/networks/${networkId}`, { network: { shared: false } })).status).toBe(200);
  });
});

describe('who may', () => {
  it.each([
    ['reader', 403],
    ['member', 201],
    ['manager', 201],
    ['admin', 201],
  ] as const)('%s creates a network: %i', async (role, status) => {
    expect((await net(await mintActor(role), 'POST', '/networks', { network: {} })).status).toBe(status);
  });

  it('nobody without a token, or without a project', async () => {
    expect((await net(null, 'GET', '/networks')).status).toBe(401);
    expect((await net(null, 'GET', '')).status).toBe(401);
    expect((await net(null, 'GET', '/extensions')).status).toBe(401);
    const unscoped = await mintActor('member', null);
    expect((await net(unscoped, 'POST', '/networks', { network: {} })).status).toBe(400);
    expect((await net(unscoped, 'GET', '/networks')).status).toBe(200);
  });

  it('only an admin shares, places or makes it for another project', async () => {
    const shared = await net(member, 'POST', '/networks', { network: { shared: true } });
    expect([shared.status, shared.body.NeutronError.type]).toEqual([403, 'PolicyNotAuthorized']);
    expect((await net(member, 'POST', '/networks', { network: { 'provider:network_type': 'local' } })).status).toBe(
      403,
    );
    const others = { network: { project_id: admin.projectId } };
    expect((await net(member, 'POST', '/networks', others)).status).toBe(400);
    const given = await net(admin, 'POST', '/networks', { network: { tenant_id: member.projectId } });
    expect(given.body.network.project_id).toBe(member.projectId);
    const two = { network: { tenant_id: member.projectId, project_id: admin.projectId } };
    expect((await net(admin, 'POST', '/networks', two)).status).toBe(400);
  });

  it('others see a shared network and change nothing; of a private one they know nothing', async () => {
    const shared = await newNetwork(admin, { shared: true });
    const own = await newNetwork(member);
    const stranger = inOwnRegion(await newMember(), admin.region);
    expect((await net(stranger, 'GET', `/networks/${shared.networkId}`)).body.network.shared).toBe(true);
    expect((await net(stranger, 'PUT', `/networks/${shared.networkId}`, { network: { name: 'x' } })).status).toBe(403);
    expect((await net(stranger, 'DELETE', `/networks/${shared.networkId}`)).status).toBe(403);
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const body = method === 'PUT' ? { network: { name: 'x' } } : undefined;
      expect((await net(stranger, method, `/networks/${own.networkId}`, body)).status).toBe(404);
    }
    const reader = inOwnRegion(await mintActor('reader', member.projectId), admin.region);
    expect((await net(reader, 'GET', `/networks/${own.networkId}`)).status).toBe(200);
    expect((await net(reader, 'PUT', `/networks/${own.networkId}`, { network: { name: 'x' } })).status).toBe(403);
    expect((await net(reader, 'DELETE', `/networks/${own.networkId}`)).status).toBe(403);
    expect((await net(admin, 'GET', `/networks/${own.networkId}`)).status).toBe(200);
  });
});

describe('a list of networks', () => {
  let actor: Actor;
  let ids: string[];
  beforeAll(async () => {
    actor = await newMember();
    const names = ['a', 'b', 'c', 'd', 'e'];
    const { body } = await net(actor, 'POST', '/networks', { networks: names.map((name) => ({ name })) });
    ids = body.networks.map((one: { id: string }) => one.id);
  });
  const mine = (query: string) => net(actor, 'GET', `/networks?project_id=${actor.projectId}&${query}`);
  const names = (answer: Awaited<ReturnType<typeof mine>>) =>
    answer.body.networks.map((one: { name: string }) => one.name);

  it('is filtered by any value of a repeated key, and all keys', async () => {
    expect(names(await mine('name=a&name=c&sort_key=name&sort_dir=asc'))).toEqual(['a', 'c']);
    expect(names(await mine(`id=${ids[1]}&name=a`))).toEqual([]);
    expect(names(await mine('admin_state_up=False'))).toEqual([]);
    expect(names(await mine('router:external=True'))).toEqual([]);
    expect(names(await mine('shared=false&sort_key=name&sort_dir=desc'))).toEqual(['e', 'd', 'c', 'b', 'a']);
  });

  it('refuses a filter, a sort or a limit that cannot be', async () => {
    for (const query of [
      'foo=1',
      'sort_key=name',
      'sort_key=foo&sort_dir=asc',
      'sort_key=name&sort_dir=up',
      'limit=-1',
      'limit=x',
      'admin_state_up=maybe',
    ]) {
      const answer = await mine(query);
      expect([query, answer.status]).toEqual([query, 400]);
    }
  });

  it('gives only the fields asked for', async () => {
    const { body } = await mine('fields=id&fields=name&name=a');
    expect(body.networks).toEqual([{ id: ids[0], name: 'a' }]);
    const one = await net(actor, 'GET', `/networks/${ids[0]}?fields=name`);
    expect(one.body).toEqual({ network: { name: 'a' } });
  });

  it('is paged forwards and backwards by the links it gives', async () => {
    const walked: string[] = [];
    let page = await mine('sort_key=name&sort_dir=asc&limit=2');
    expect(page.body.networks_links.map((link: { rel: string }) => link.rel)).toEqual(['next', 'previous']);
    for (let pages = 0; pages < 5 && page.body.networks.length > 0; pages++) {
      walked.push(...names(page));
      const next = page.body.networks_links.find((link: { rel: string }) => link.rel === 'next');
      if (!next) break;
      page = await net(actor, 'GET', next.href.slice(next.href.indexOf('/networks?')));
    }
    expect(walked).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(names(await mine(`sort_key=name&sort_dir=asc&limit=2&marker=${ids[4]}&page_reverse=True`))).toEqual([
      'c',
      'd',
    ]);
    expect(names(await mine(`sort_key=name&sort_dir=desc&limit=2&marker=${ids[4]}`))).toEqual(['d', 'c']);
    expect(names(await mine('sort_key=name&sort_dir=asc&limit=2&page_reverse=True'))).toEqual(['d', 'e']);
  });
});

describe('a body', () => {
  it.each([
    [{}, 400, 'HTTPBadRequest'],
    [{ network: [] }, 400, 'HTTPBadRequest'],
    [[], 400, 'HTTPBadRequest'],
    [{ network: { colour: 'blue' } }, 400, 'HTTPBadRequest'],
    [{ network: { status: 'ACTIVE' } }, 400, 'HTTPBadRequest'],
    [{ network: { name: 7 } }, 400, 'HTTPBadRequest'],
    [{ network: { name: 'x'.repeat(256) } }, 400, 'HTTPBadRequest'],
    [{ network: { admin_state_up: 'maybe' } }, 400, 'InvalidInput'],
    [{ network: { mtu: 10 } }, 400, 'HTTPBadRequest'],
    [{ network: { 'router:external': true } }, 403, 'PolicyNotAuthorized'],
  ])('%j is refused', async (body, status, type) => {
    const answer = await net(member, 'POST', '/networks', body);
    expect([answer.status, answer.body.NeutronError.type]).toEqual([status, type]);
  });

  it('does not come with a delete, nor with a read-only attribute in an update', async () => {
    const { body } = await net(member, 'POST', '/networks', { network: {} });
    expect((await net(member, 'DELETE', `/networks/${body.network.id}`, { a: 1 })).status).toBe(400);
    const readOnly = await net(member, 'PUT', `/networks/${body.network.id}`, { network: { id: 'x' } });
    expect(readOnly.body.NeutronError.message).toBe('Cannot update read-only attribute id');
  });
});
