import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { ports } from '../../../db/schema/network.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { call } from '../../../test/edge-client.ts';

interface Plugged {
  port_id: string;
  net_id: string;
  mac_addr: string;
  fixed_ips: { ip_address: string; subnet_id: string }[];
}

const open = async () => {
  const cloud = await ComputeCloud.open();
  await cloud.addRunner();
  const { networkId } = await cloud.addNetwork();
  return { cloud, networkId, id: await cloud.createActive({ networks: [{ uuid: networkId }] }) };
};
const listOf = async (cloud: ComputeCloud, id: string) =>
  (await cloud.answer<{ interfaceAttachments: Plugged[] }>('GET', `/servers/${id}/os-interface`)).interfaceAttachments;
const attach = async (cloud: ComputeCloud, id: string, interfaceAttachment: object) =>
  (
    await cloud.answer<{ interfaceAttachment: Plugged }>('POST', `/servers/${id}/os-interface`, {
      body: { interfaceAttachment },
    })
  ).interfaceAttachment;
const refusalOf = async (
  cloud: ComputeCloud,
  method: string,
  path: string,
  body?: unknown,
): Promise<[number, string]> => {
  const response = await cloud.call(method, path, body === undefined ? {} : { body });
  const [fault] = Object.values((await response.json()) as Record<string, { message: string }>);
  return [response.status, fault?.message ?? ''];
};
const newPort = async (cloud: ComputeCloud, networkId: string): Promise<string> => {
  const response = await call('POST', `/r/${cloud.region}/networking/v2.0/ports`, {
    token: cloud.user.token,
    body: { port: { network_id: networkId } },
  });
  return ((await response.json()) as { port: { id: string } }).port.id;
};
const groupsOf = async (cloud: ComputeCloud, id: string) =>
  (
    await cloud.answer<{ security_groups: { name: string }[] }>('GET', `/servers/${id}/os-security-groups`)
  ).security_groups.map((group) => group.name);

describe('a port', () => {
  it('is plugged into a running server, new or there before, and unplugged', async () => {
    const { cloud, id, networkId } = await open();
    const [first] = await listOf(cloud, id);
    const made = await attach(cloud, id, { net_id: networkId });
    expect(made).toMatchObject({
      net_id: networkId,
      fixed_ips: [{ ip_address: expect.stringMatching(/^10\.9\.0\./) }],
    });
    const own = await newPort(cloud, networkId);
    expect((await attach(cloud, id, { port_id: own })).port_id).toBe(own);
    expect((await cloud.wish(id))?.spec?.ports).toEqual([first?.port_id, made.port_id, own]);
    expect((await cloud.show(id)).addresses).toMatchObject({ private: [{}, {}, {}] });
    await cloud.answer('DELETE', `/servers/${id}/os-interface/${made.port_id}`, { status: 202 });
    await cloud.answer('DELETE', `/servers/${id}/os-interface/${own}`, { status: 202 });
    expect((await cloud.wish(id))?.spec?.ports).toEqual([first?.port_id]);
    expect((await listOf(cloud, id)).map((port) => port.port_id)).toEqual([first?.port_id]);
    // What was made for the server is gone; what was there before is free.
    expect(await cloud.ctx.db.select().from(ports).where(eq(ports.id, made.port_id))).toEqual([]);
    expect(await cloud.ctx.db.select().from(ports).where(eq(ports.id, own))).toMatchObject([
      { deviceId: '', deviceOwner: '', runnerId: null },
    ]);
    const { instanceActions } = await cloud.answer<{ instanceActions: { action: string }[] }>(
      'GET',
      `/servers/${id}/os-instance-actions`,
    );
    expect(instanceActions.map(({ action }) => action).slice(0, 4)).toEqual([
      ...['detach_interface', 'detach_interface', 'attach_interface', 'attach_interface'],
    ]);
  });

  it('has the tag that it was asked for with, from 2.49 or at the start, shown from 2.70', async () => {
    const { cloud, networkId } = await open();
    const { server } = await cloud.answer<{ server: { id: string } }>('POST', '/servers', {
      body: {
        server: {
          name: 's',
          imageRef: cloud.imageId,
          flavorRef: cloud.flavorId,
          networks: [{ uuid: networkId, tag: 'first' }],
        },
      },
      version: '2.42',
      status: 202,
    });
    await cloud.observe(server.id, { state: 'running' });
    const path = `/servers/${server.id}/os-interface`;
    const tags = async (version: string) => {
      type Listed = { interfaceAttachments: (Plugged & { tag?: string | null })[] };
      const { interfaceAttachments } = await cloud.answer<Listed>('GET', path, { version });
      return interfaceAttachments.map(({ tag }) => tag);
    };
    const plug = (interfaceAttachment: object, version: string) =>
      cloud.call('POST', path, { body: { interfaceAttachment }, version });
    expect((await plug({ net_id: networkId, tag: 'late' }, '2.48')).status).toBe(400);
    const late = await plug({ net_id: networkId, tag: 'late' }, '2.70');
    const { interfaceAttachment: made } = (await late.json()) as { interfaceAttachment: Plugged };
    expect(made).toMatchObject({ tag: 'late' });
    expect((await plug({ net_id: networkId }, '2.49')).status).toBe(200);
    expect(await tags('2.70')).toEqual(['first', 'late', null]);
    expect(await tags('2.69')).toEqual([undefined, undefined, undefined]);
    const told = async () => Object.values((await cloud.wish(server.id))?.spec?.metadata.device_tags ?? {});
    expect(await told()).toEqual(['first', 'late']);
    await cloud.answer('DELETE', `${path}/${made.port_id}`, { status: 202 });
    expect(await told()).toEqual(['first']);
    await cloud.act(server.id, { shelve: null });
    await cloud.copied(server.id);
    expect((await cloud.row(server.id)).vmState).toMatch(/^shelved/);
    expect(await tags('2.70')).toEqual(['first', null]);
  });

  it('has the address that is asked for', async () => {
    const { cloud, id, networkId } = await open();
    const made = await attach(cloud, id, { net_id: networkId, fixed_ips: [{ ip_address: '10.9.0.77' }] });
    expect(made.fixed_ips).toMatchObject([{ ip_address: '10.9.0.77' }]);
    const again = { interfaceAttachment: { net_id: networkId, fixed_ips: [{ ip_address: '10.9.0.77' }] } };
    expect((await refusalOf(cloud, 'POST', `/servers/${id}/os-interface`, again))[0]).toBe(409);
  });

  it('is refused as Nova refuses it', async () => {
    const { cloud, id, networkId } = await open();
    const path = `/servers/${id}/os-interface`;
    const nothing = crypto.randomUUID();
    const plug = (interfaceAttachment: object) => refusalOf(cloud, 'POST', path, { interfaceAttachment });
    expect(await plug({ net_id: networkId, port_id: nothing })).toEqual([
      400,
      'Must not input both network_id and port_id',
    ]);
    expect(await plug({ fixed_ips: [{ ip_address: '10.9.0.9' }] })).toEqual([
      400,
      'Must input network_id when request IP address',
    ]);
    expect(await plug({ net_id: nothing })).toEqual([404, `Network ${nothing} could not be found.`]);
    expect(await plug({ port_id: nothing })).toEqual([404, `Port id ${nothing} could not be found.`]);
    const [first] = await listOf(cloud, id);
    expect((await plug({ port_id: first?.port_id }))[0]).toBe(409);
    expect(await refusalOf(cloud, 'DELETE', `${path}/${nothing}`)).toEqual([
      404,
      `Port id ${nothing} could not be found.`,
    ]);
    await cloud.act(id, { suspend: null });
    expect((await plug({ net_id: networkId }))[0]).toBe(409);
  });
});

describe('security groups and addresses of a server', () => {
  it('come and go with its ports', async () => {
    const { cloud, id } = await open();
    const response = await call('POST', `/r/${cloud.region}/networking/v2.0/security-groups`, {
      token: cloud.user.token,
      body: { security_group: { name: 'web' } },
    });
    expect(response.status).toBe(201);
    await cloud.act(id, { addSecurityGroup: { name: 'web' } });
    expect(await groupsOf(cloud, id)).toEqual(['default', 'web']);
    await cloud.act(id, { removeSecurityGroup: { name: 'default' } });
    expect(await groupsOf(cloud, id)).toEqual(['web']);
    const action = `/servers/${id}/action`;
    expect((await refusalOf(cloud, 'POST', action, { removeSecurityGroup: { name: 'default' } }))[0]).toBe(404);
    expect((await refusalOf(cloud, 'POST', action, { addSecurityGroup: { name: 'none' } }))[0]).toBe(404);
    expect(await refusalOf(cloud, 'POST', action, { addSecurityGroup: { name: ' ' } })).toEqual([
      400,
      expect.stringContaining('Security group name cannot be empty'),
    ]);
  });

  it('are added to a port of a network, until 2.43', async () => {
    const { cloud, id, networkId } = await open();
    const [before] = await listOf(cloud, id);
    await cloud.act(id, { addFixedIp: { networkId } });
    const [after] = await listOf(cloud, id);
    expect(after?.fixed_ips).toHaveLength(2);
    await cloud.act(id, { removeFixedIp: { address: before?.fixed_ips[0]?.ip_address } });
    expect((await listOf(cloud, id))[0]?.fixed_ips).toEqual(after?.fixed_ips.slice(1));
    expect(
      (await refusalOf(cloud, 'POST', `/servers/${id}/action`, { removeFixedIp: { address: '10.77.0.250' } }))[0],
    ).toBe(400);
    const body = { addFixedIp: { networkId } };
    expect((await cloud.call('POST', `/servers/${id}/action`, { body, version: '2.44' })).status).toBe(404);
  });
});
