import { SELF } from 'cloudflare:test';
import { and, eq, sql } from 'drizzle-orm';
import { beforeEach, describe, expect, it } from 'vitest';
import { desired } from '../../db/schema/fleet.ts';
import { ports } from '../../db/schema/network.ts';
import { ComputeCloud } from '../../test/compute-cloud.ts';
import { call, ORIGIN } from '../../test/edge-client.ts';
import { told as toldOf, typesTold } from '../../test/edge-events.ts';
import { recordObserved } from '../fleet/link/record-observed.ts';
import { AssertionFailed, assertThat, commitAll } from '../http/commit.ts';

let cloud: ComputeCloud;
beforeEach(async () => {
  cloud = await ComputeCloud.open();
});

const told = (id: string) => toldOf(cloud.ctx.db, id);
const typesOf = (id: string) => typesTold(cloud.ctx.db, id, { region: cloud.region, projectId: cloud.user.projectId });

/** A call of the project's member to a service. @returns the answer's body, when it is JSON */
async function ask(method: string, path: string, body?: unknown, status = 200) {
  const response = await call(method, `/r/${cloud.region}${path}`, {
    token: cloud.user.token,
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  if (response.status !== status) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text.startsWith('{') ? JSON.parse(text) : null;
}

describe('a port', () => {
  it('tells its life', async () => {
    const { networkId } = await cloud.addNetwork();
    const path = '/networking/v2.0/ports';
    const { port } = await ask('POST', path, { port: { network_id: networkId, name: 'p' } }, 201);
    await ask('PUT', `${path}/${port.id}`, { port: { name: 'q', description: 'd' } });
    await ask('PUT', `${path}/${port.id}`, { port: { name: 'q' } });
    await ask('DELETE', `${path}/${port.id}`, undefined, 204);
    expect(await typesOf(port.id)).toEqual(['port.created', 'port.updated', 'port.deleted']);
    const [created, updated] = await told(port.id);
    expect(created?.data).toMatchObject({ name: 'p', network_id: networkId, status: 'DOWN', device_id: '' });
    expect(created?.data.mac_address).toBe(port.mac_address);
    expect(updated?.data).toMatchObject({ name: 'q' });
  });

  it('of a server tells whether it is in force, as its machine reports', async () => {
    await cloud.addNetwork();
    const runnerId = await cloud.addRunner();
    const server = await cloud.create({ networks: 'auto' });
    const [port] = await cloud.ctx.db.select().from(ports).where(eq(ports.deviceId, server));
    const id = port?.id ?? '';
    const report = async (state: 'applied' | 'failed' | 'stopped') => {
      const own = and(eq(desired.runnerId, runnerId), eq(desired.kind, 'port'), eq(desired.id, id));
      const [wish] = await cloud.ctx.db.select().from(desired).where(own);
      const fault = state === 'failed' ? { fault: { code: 500, message: 'no rules' } } : {};
      await recordObserved(cloud.ctx, runnerId, [
        { kind: 'port', id, generation: wish?.generation ?? 0, state, ...fault },
      ]);
    };
    await report('applied');
    await report('applied');
    await report('failed');
    await report('stopped');
    await cloud.observe(server, { state: 'running' });
    await cloud.answer('DELETE', `/servers/${server}`, { status: 204 });
    await cloud.observe(server, { state: 'absent' });
    const types = await typesOf(id);
    expect(types.filter((type) => type !== 'port.updated')).toEqual([
      ...['port.created', 'port.active', 'port.error', 'port.down', 'port.deleted'],
    ]);
    expect((await told(id))[0]?.data).toMatchObject({
      device_id: server,
      device_owner: expect.stringMatching(/^compute:/),
    });
  });
});

describe('a router', () => {
  it('tells its life, and what comes and goes on it', async () => {
    const { subnetId } = await cloud.addNetwork();
    const outside = await cloud.addNetwork('198.51.100.0/24', { as: cloud.admin, 'router:external': true });
    const path = '/networking/v2.0/routers';
    const { router } = await ask('POST', path, { router: { name: 'r' } }, 201);
    await ask('PUT', `${path}/${router.id}`, { router: { external_gateway_info: { network_id: outside.networkId } } });
    const joined = await ask('PUT', `${path}/${router.id}/add_router_interface`, { subnet_id: subnetId });
    await ask('PUT', `${path}/${router.id}/remove_router_interface`, { subnet_id: subnetId });
    await ask('DELETE', `${path}/${router.id}`, undefined, 204);
    expect(await typesOf(router.id)).toEqual([
      ...['router.created', 'router.updated', 'router.updated', 'router.updated', 'router.deleted'],
    ]);
    expect((await told(router.id))[0]?.data).toMatchObject({ name: 'r', admin_state_up: true, enable_snat: true });
    // Its interface is a port of the project's; its gateway is nobody's.
    expect(await typesOf(joined.port_id)).toEqual(['port.created', 'port.deleted']);
    const nobodys = await cloud.ctx.db.all<{ n: number }>(
      sql`SELECT count(*) AS n FROM events WHERE region = ${cloud.region} AND project_id = ''`,
    );
    expect(nobodys).toEqual([{ n: 0 }]);
  });
});

it('a floating IP tells where it leads, and whether it is in force', async () => {
  const { networkId, subnetId } = await cloud.addNetwork();
  const outside = await cloud.addNetwork('198.51.100.0/24', { as: cloud.admin, 'router:external': true });
  const net = '/networking/v2.0';
  const gateway = { external_gateway_info: { network_id: outside.networkId } };
  const { router } = await ask('POST', `${net}/routers`, { router: gateway }, 201);
  await ask('PUT', `${net}/routers/${router.id}/add_router_interface`, { subnet_id: subnetId });
  const { port } = await ask('POST', `${net}/ports`, { port: { network_id: networkId } }, 201);
  const wanted = { floatingip: { floating_network_id: outside.networkId } };
  const { floatingip } = await ask('POST', `${net}/floatingips`, wanted, 201);
  const path = `${net}/floatingips/${floatingip.id}`;
  await ask('PUT', path, { floatingip: { port_id: port.id } });
  for (const status of ['ACTIVE', 'DOWN'])
    await cloud.ctx.db.run(sql`UPDATE floating_ips SET status = ${status} WHERE id = ${floatingip.id}`);
  await ask('PUT', path, { floatingip: { port_id: null } });
  const types = ['created', 'associated', 'active', 'down', 'disassociated'].map((type) => `floating_ip.${type}`);
  expect(await typesOf(floatingip.id)).toEqual(types);
  expect((await told(floatingip.id))[1]?.data).toMatchObject({ port_id: port.id, router_id: router.id });
});

describe('an image', () => {
  const images = '/image/v2/images';
  const upload = async (id: string, body: string) => {
    const headers = { 'x-auth-token': cloud.user.token, 'content-type': 'application/octet-stream' };
    const url = `${ORIGIN}/r/${cloud.region}${images}/${id}/file`;
    const response = await SELF.fetch(url, { method: 'PUT', headers, body });
    await response.body?.cancel();
    return response.status;
  };

  it('tells its life', async () => {
    const made = { name: 'i', disk_format: 'raw', container_format: 'bare', secret: 'of-the-owner' };
    const { id } = await ask('POST', images, made, 201);
    expect(await upload(id, 'data')).toBe(204);
    const headers = { 'content-type': 'application/openstack-images-v2.1-json-patch' };
    const patch = (name: string) =>
      SELF.fetch(`${ORIGIN}/r/${cloud.region}${images}/${id}`, {
        method: 'PATCH',
        headers: { ...headers, 'x-auth-token': cloud.user.token },
        body: JSON.stringify([{ op: 'replace', path: '/name', value: name }]),
      });
    expect((await patch('j')).status).toBe(200);
    await ask('POST', `${images}/${id}/actions/deactivate`, undefined, 204);
    await ask('POST', `${images}/${id}/actions/deactivate`, undefined, 204);
    await ask('POST', `${images}/${id}/actions/reactivate`, undefined, 204);
    await ask('DELETE', `${images}/${id}`, undefined, 204);
    expect(await typesOf(id)).toEqual([
      ...['image.created', 'image.active', 'image.updated', 'image.deactivated', 'image.active', 'image.deleted'],
    ]);
    const [created, active, updated] = await told(id);
    expect(created?.data).toMatchObject({ name: 'i', status: 'queued', previous_status: null, size_bytes: null });
    expect(active?.data).toMatchObject({ status: 'active', previous_status: 'saving', size_bytes: 4 });
    expect(updated?.data).toMatchObject({ name: 'j', status: 'active' });
    expect(JSON.stringify(await told(id))).not.toContain('of-the-owner');
  });

  it('whose data is refused tells that it waits for some again', async () => {
    const { id } = await ask('POST', images, { name: 'i', disk_format: 'qcow2', container_format: 'bare' }, 201);
    expect(await upload(id, 'this is none')).toBeGreaterThanOrEqual(400);
    expect(await typesOf(id)).toEqual(['image.created', 'image.queued']);
  });

  it('of a change that is rolled back tells nothing', async () => {
    const { id } = await ask('POST', images, { name: 'i' }, 201);
    const statements = [
      cloud.ctx.db.run(sql`UPDATE images SET name = 'j' WHERE id = ${id}`),
      assertThat(cloud.ctx.db, 'n', sql`0`),
    ];
    await expect(commitAll(cloud.ctx, statements)).rejects.toThrow(AssertionFailed);
    expect(await typesOf(id)).toEqual(['image.created']);
  });
});
