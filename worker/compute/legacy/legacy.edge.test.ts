import { describe, expect, it } from 'vitest';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { inOwnRegion, net } from '../../../test/edge-network.ts';
import { newExternal, pluggedIn } from '../../../test/edge-routers.ts';

interface Group {
  id: string;
  name: string;
  rules: Record<string, unknown>[];
  [member: string]: unknown;
}

describe('what Nova has removed', () => {
  it.each([
    ['GET', '/os-agents', '2.90', 410],
    ['POST', '/os-agents', '2.1', 410],
    ['PUT', '/os-agents/1', '2.1', 410],
    ['DELETE', '/os-agents/1', '2.90', 410],
    ['GET', '/os-cells', '2.1', 410],
    ['GET', '/os-certificates/root', '2.1', 410],
    ['GET', '/os-cloudpipe', '2.1', 410],
    ['GET', '/os-fping', '2.35', 410],
    ['GET', '/os-fping', '2.36', 404],
    ['GET', '/os-fixed-ips/10.0.0.1', '2.35', 410],
    ['POST', '/os-networks', '2.35', 410],
    ['POST', '/os-networks/add', '2.35', 410],
    ['GET', '/os-networks', '2.36', 404],
    ['GET', '/os-security-groups', '2.36', 404],
    ['GET', '/images', '2.36', 404],
    ['GET', '/images/1/metadata', '2.39', 404],
    ['GET', '/os-floating-ips', '2.36', 404],
    ['GET', '/os-nonsense', '2.1', 404],
  ])('%s %s at %s is answered %i', async (method, path, version, status) => {
    const cloud = await ComputeCloud.open();
    expect((await cloud.call(method, path, { version })).status).toBe(status);
  });
});

describe('extensions', () => {
  it('are listed and shown for clients that look for them', async () => {
    const cloud = await ComputeCloud.open();
    const { extensions } = await cloud.answer<{ extensions: { alias: string }[] }>('GET', '/extensions');
    expect(extensions.map(({ alias }) => alias)).toContain('os-hosts');
    expect(await cloud.answer('GET', '/extensions/os-consoles')).toMatchObject({
      extension: { alias: 'os-consoles', name: 'Consoles', links: [] },
    });
    expect((await cloud.call('GET', '/extensions/constructor')).status).toBe(404);
  });
});

describe('events of other services', () => {
  it('are taken for servers that are on a host', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const [id, lost] = [await cloud.createActive(), crypto.randomUUID()];
    const post = (events: object[], version = '2.1') =>
      cloud.call('POST', '/os-server-external-events', { as: cloud.admin, version, body: { events } });
    const event = { name: 'network-changed', server_uuid: id };
    const taken = { ...event, status: 'completed', code: 200 };
    const both = await post([event, { ...event, server_uuid: lost }]);
    expect([both.status, await both.json()]).toEqual([
      207,
      { events: [taken, { ...event, server_uuid: lost, status: 'failed', code: 404 }] },
    ]);
    const one = await post([event]);
    expect([one.status, await one.json()]).toEqual([200, { events: [taken] }]);
    expect((await post([{ ...event, server_uuid: lost }])).status).toBe(404);
    expect((await post([{ ...event, name: 'power-update' }], '2.75')).status).toBe(400);
    expect((await post([{ ...event, name: 'power-update', tag: 'POWER_ON' }], '2.76')).status).toBe(200);
  });
});

describe('security groups', () => {
  it('are those of networking, in Nova’s words', async () => {
    const cloud = await ComputeCloud.open();
    const make = async (name: string) =>
      (
        await cloud.answer<{ security_group: Group }>('POST', '/os-security-groups', {
          body: { security_group: { name, description: 'd' } },
        })
      ).security_group;
    const [web, db] = [await make(' web '), await make('db')];
    expect(web).toEqual({ id: web.id, name: ' web ', description: 'd', tenant_id: cloud.user.projectId, rules: [] });
    const rule = (more: object) =>
      cloud.call('POST', '/os-security-group-rules', {
        body: {
          security_group_rule: { parent_group_id: db.id, ip_protocol: 'tcp', from_port: 22, to_port: 22, ...more },
        },
      });
    const made = (await (await rule({})).json()) as { security_group_rule: { id: string } };
    expect(made.security_group_rule).toEqual({
      id: expect.any(String),
      parent_group_id: db.id,
      ip_protocol: 'tcp',
      from_port: 22,
      to_port: 22,
      group: {},
      ip_range: { cidr: '0.0.0.0/0' },
    });
    expect((await rule({})).status).toBe(400);
    expect(await (await rule({ group_id: web.id })).json()).toMatchObject({
      security_group_rule: { group: { name: ' web ', tenant_id: cloud.user.projectId }, ip_range: {} },
    });
    expect(await (await rule({ ip_protocol: 'icmp', from_port: -1, to_port: -1, cidr: '::/0' })).json()).toMatchObject({
      security_group_rule: { ip_protocol: 'ipv6-icmp', from_port: -1, to_port: -1, ip_range: { cidr: '::/0' } },
    });
    for (const wrong of [
      { from_port: 23 },
      { to_port: 65_536 },
      { ip_protocol: 'odd' },
      { ip_protocol: null },
      { cidr: 'all' },
      { parent_group_id: 'none' },
    ]) {
      expect([wrong, (await rule(wrong)).status]).toEqual([wrong, 400]);
    }
    expect((await rule({ parent_group_id: crypto.randomUUID() })).status).toBe(404);
    const { security_groups: groups } = await cloud.answer<{ security_groups: Group[] }>('GET', '/os-security-groups');
    expect(groups.map(({ name }) => name)).toEqual([' web ', 'db', 'default']);
    expect(groups.find(({ id }) => id === db.id)?.rules).toHaveLength(3);
    await cloud.answer('DELETE', `/os-security-group-rules/${made.security_group_rule.id}`, { status: 202 });
    const path = `/os-security-groups/${db.id}`;
    await cloud.answer('PUT', path, { body: { security_group: { name: 'data', description: 'e' } } });
    expect(await cloud.answer('GET', path)).toMatchObject({ security_group: { name: 'data', description: 'e' } });
    await cloud.answer('DELETE', path, { status: 202 });
    expect((await cloud.call('GET', path)).status).toBe(404);
    expect((await cloud.call('GET', '/os-security-groups/none')).status).toBe(400);
    const ofAll = groups.find(({ name }) => name === 'default');
    expect((await cloud.call('DELETE', `/os-security-groups/${ofAll?.id}`)).status).toBe(400);
  });
});

describe('networks', () => {
  it('are those of networking', async () => {
    const cloud = await ComputeCloud.open();
    const { networkId } = await cloud.addNetwork();
    expect(await cloud.answer('GET', '/os-networks')).toMatchObject({
      networks: [{ id: networkId, label: 'private' }],
    });
    expect(await cloud.answer('GET', `/os-tenant-networks/${networkId}`)).toEqual({
      network: { id: networkId, label: 'private', cidr: 'None' },
    });
    expect((await cloud.call('GET', '/os-networks/none')).status).toBe(404);
  });

  it('have floating addresses: made of pools, led to servers, taken away and given back', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const [admin, user] = [inOwnRegion(cloud.admin, cloud.region), inOwnRegion(cloud.user, cloud.region)];
    const external = await newExternal(admin);
    const inside = await pluggedIn(user, { external: external.networkId });
    await net(admin, 'PUT', `/networks/${external.networkId}`, { network: { name: external.networkId } });
    const server = () => cloud.createActive({ networks: [{ uuid: inside.networkId }] });
    const [one, two] = [await server(), await server()];
    const { floating_ip_pools: pools } = await cloud.answer<{ floating_ip_pools: object[] }>(
      'GET',
      '/os-floating-ip-pools',
    );
    expect(pools).toContainEqual({ name: external.networkId });
    const missing = await cloud.call('POST', '/os-floating-ips', { body: { pool: 'nowhere' } });
    expect(missing.status).toBe(404);
    const { floating_ip: fip } = await cloud.answer<{ floating_ip: { id: string; ip: string } }>(
      'POST',
      '/os-floating-ips',
      {
        body: { pool: external.networkId },
      },
    );
    const act = (id: string, body: object) => cloud.call('POST', `/servers/${id}/action`, { body });
    const shown = async () =>
      (await cloud.answer<{ floating_ip: object }>('GET', `/os-floating-ips/${fip.id}`)).floating_ip;
    expect(await shown()).toEqual({ ...fip, pool: external.networkId, fixed_ip: null, instance_id: null });
    expect((await act(one, { addFloatingIp: { address: fip.ip } })).status).toBe(202);
    expect(await shown()).toMatchObject({ instance_id: one });
    const addresses = await cloud.show(one);
    expect(JSON.stringify(addresses)).toContain(`"addr":"${fip.ip}","OS-EXT-IPS:type":"floating"`);
    const second = await cloud.answer<{ floating_ip: { id: string; ip: string } }>('POST', '/os-floating-ips', {
      body: { pool: external.networkId },
    });
    expect((await act(one, { addFloatingIp: { address: second.floating_ip.ip } })).status).toBe(400);
    expect((await act(two, { addFloatingIp: { address: fip.ip } })).status).toBe(202);
    expect((await act(one, { removeFloatingIp: { address: fip.ip } })).status).toBe(409);
    expect((await act(two, { removeFloatingIp: { address: fip.ip } })).status).toBe(202);
    expect((await act(two, { removeFloatingIp: { address: '203.0.113.9' } })).status).toBe(404);
    for (const { id } of [fip, second.floating_ip]) {
      expect((await cloud.call('DELETE', `/os-floating-ips/${id}`)).status).toBe(202);
    }
    expect(await cloud.answer('GET', '/os-floating-ips')).toEqual({ floating_ips: [] });
    expect((await cloud.call('DELETE', '/os-floating-ips/none')).status).toBe(404);
  });
});

describe('images', () => {
  it('are those of the image service, in Nova’s words', async () => {
    const cloud = await ComputeCloud.open();
    const { projectId } = cloud.user;
    const properties = { image_type: 'snapshot', instance_uuid: 'i' };
    const id = await cloud.addImage({ name: 'mine', projectId, visibility: 'private', properties });
    const names = async (query: string) =>
      (await cloud.answer<{ images: { name: string }[] }>('GET', `/images${query}`)).images.map(({ name }) => name);
    expect((await names('')).toSorted()).toEqual(['guest', 'mine']);
    expect(await names('?type=snapshot')).toEqual(['mine']);
    expect(await names('?server=http://x/servers/i')).toEqual(['mine']);
    expect(await names('?name=guest&status=active')).toEqual(['guest']);
    expect(await names('?limit=1')).toHaveLength(1);
    expect(await names('?changes-since=2999-01-01T00:00:00Z')).toEqual([]);
    expect((await cloud.call('GET', '/images?marker=none')).status).toBe(400);
    expect(await cloud.answer('GET', `/images/${id}`)).toMatchObject({
      image: { id, status: 'ACTIVE', progress: 100, metadata: properties, server: { id: 'i' }, minRam: 0 },
    });
    const path = `/images/${id}/metadata`;
    const body = { metadata: { os: 'plan9' } };
    expect(await cloud.answer('POST', path, { body })).toEqual({ metadata: { ...properties, os: 'plan9' } });
    expect(await cloud.answer('PUT', path, { body })).toEqual(body);
    expect(await cloud.answer('PUT', `${path}/a`, { body: { meta: { a: 'b' } } })).toEqual({ meta: { a: 'b' } });
    expect((await cloud.call('PUT', `${path}/a`, { body: { meta: { c: 'b' } } })).status).toBe(400);
    expect(await cloud.answer('GET', `${path}/a`)).toEqual({ meta: { a: 'b' } });
    await cloud.answer('DELETE', `${path}/a`, { status: 204 });
    expect((await cloud.call('DELETE', `${path}/a`)).status).toBe(404);
    expect((await cloud.call('POST', `/images/${cloud.imageId}/metadata`, { body })).status).toBe(403);
    await cloud.answer('DELETE', `/images/${id}`, { status: 204 });
    expect((await cloud.call('GET', `/images/${id}`)).status).toBe(404);
  });
});
