import { and, eq } from 'drizzle-orm';
import { beforeEach, describe, expect, it } from 'vitest';
import { desired } from '../../../db/schema/fleet.ts';
import { specOf } from '../../../shared/specs/kinds.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { type NetActor, net, newMember, testDatabase } from '../../../test/edge-network.ts';

const db = testDatabase();
let member: NetActor;
beforeEach(async () => {
  member = await newMember();
});

const fault = ({ status, body }: Awaited<ReturnType<typeof net>>) => [status, body?.NeutronError?.type];
const made = async (values: object = { addresses: ['10.1.0.0/16'] }, as = member) =>
  (await net(as, 'POST', '/address-groups', { address_group: values })).body.address_group;
const change = (id: string, action: 'add' | 'remove', addresses: string[], as = member) =>
  net(as, 'PUT', `/address-groups/${id}/${action}_addresses`, { addresses });
const newGroup = async (as = member) =>
  (await net(as, 'POST', '/security-groups', { security_group: { name: 'g' } })).body.security_group.id;
const newRule = (groupId: string, rule: object, as = member) =>
  net(as, 'POST', '/security-group-rules', {
    security_group_rule: { security_group_id: groupId, direction: 'ingress', ...rule },
  });

describe('an address group', () => {
  it('is made, changed, filled and emptied', async () => {
    const group = await made({ name: 'a', addresses: ['10.0.0.9/24', '2001:db8::f00/64'] });
    expect(group).toEqual({
      id: expect.any(String),
      name: 'a',
      description: '',
      addresses: ['10.0.0.0/24', '2001:db8::/64'],
      shared: false,
      project_id: member.projectId,
      tenant_id: member.projectId,
    });
    const path = `/address-groups/${group.id}`;
    const renamed = await net(member, 'PUT', path, { address_group: { name: 'b', description: 'd' } });
    expect(renamed.body.address_group).toMatchObject({ name: 'b', description: 'd', addresses: group.addresses });
    const added = await change(group.id, 'add', ['192.0.2.7', '198.51.100.0/24']);
    expect(added.body.address_group.addresses).toEqual([...group.addresses, '192.0.2.7/32', '198.51.100.0/24']);
    expect(fault(await change(group.id, 'add', ['10.0.0.0/24']))).toEqual([400, 'AddressesAlreadyExist']);
    expect(fault(await change(group.id, 'add', ['nonsense']))).toEqual([400, 'HTTPBadRequest']);
    expect(fault(await change(group.id, 'remove', ['10.9.0.0/24']))).toEqual([404, 'AddressesNotFound']);
    const removed = await change(group.id, 'remove', ['10.0.0.0/24', '192.0.2.7/32']);
    expect(removed.body.address_group.addresses).toEqual(['2001:db8::/64', '198.51.100.0/24']);
    expect((await net(member, 'DELETE', path)).status).toBe(204);
    expect(fault(await net(member, 'GET', path))).toEqual([404, 'AddressGroupNotFound']);
  });

  it("is another project's to change, where it is only shared", async () => {
    const { id } = await made({ name: 'a' });
    const friend = await newMember();
    const policy = {
      object_type: 'address_group',
      object_id: id,
      action: 'access_as_shared',
      target_tenant: friend.projectId,
    };
    expect((await net(member, 'POST', '/rbac-policies', { rbac_policy: policy })).status).toBe(201);
    expect((await net(friend, 'GET', `/address-groups/${id}`)).status).toBe(200);
    const change = { address_group: { name: 'b' } };
    expect(fault(await net(friend, 'PUT', `/address-groups/${id}`, change))).toEqual([404, 'AddressGroupNotFound']);
  });

  it('loses no address where several are added at once', async () => {
    const { id } = await made({});
    const added = await Promise.all(Array.from({ length: 8 }, (_, at) => change(id, 'add', [`10.${at}.0.0/16`])));
    expect(added.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect((await net(member, 'GET', `/address-groups/${id}`)).body.address_group.addresses).toHaveLength(8);
  });

  it('stays while a rule refers to it, and is referred to only by who sees it', async () => {
    const { id } = await made();
    const groupId = await newGroup();
    const rule = await newRule(groupId, { remote_address_group_id: id });
    expect([rule.status, rule.body.security_group_rule.remote_address_group_id]).toEqual([201, id]);
    expect(fault(await newRule(groupId, { remote_address_group_id: id }))).toEqual([409, 'SecurityGroupRuleExists']);
    const both = { remote_address_group_id: id, remote_ip_prefix: '10.0.0.0/8' };
    expect(fault(await newRule(groupId, both))).toEqual([400, 'SecurityGroupMultipleRemoteEntites']);
    expect(fault(await net(member, 'DELETE', `/address-groups/${id}`))).toEqual([409, 'AddressGroupInUse']);
    const stranger = await newMember();
    const theirs = await newGroup(stranger);
    expect(fault(await newRule(theirs, { remote_address_group_id: id }, stranger))).toEqual([
      404,
      'AddressGroupNotFound',
    ]);
    const sharing = { object_type: 'address_group', object_id: id, action: 'access_as_shared' };
    const policy = await net(member, 'POST', '/rbac-policies', {
      rbac_policy: { ...sharing, target_tenant: stranger.projectId },
    });
    expect((await newRule(theirs, { remote_address_group_id: id }, stranger)).status).toBe(201);
    const path = `/rbac-policies/${policy.body.rbac_policy.id}`;
    expect(fault(await net(member, 'DELETE', path))).toEqual([409, 'RbacPolicyInUse']);
    await net(member, 'DELETE', `/security-group-rules/${rule.body.security_group_rule.id}`);
    expect(fault(await net(member, 'DELETE', `/address-groups/${id}`))).toEqual([409, 'AddressGroupInUse']);
  });
});

describe('what a host has of address groups', () => {
  async function open() {
    const cloud = await ComputeCloud.open();
    const runnerId = await cloud.addRunner();
    const user: NetActor = { ...cloud.user, region: cloud.region };
    const { networkId } = await cloud.addNetwork();
    const groupId = await newGroup(user);
    const held = async () => {
      const rows = await db
        .select()
        .from(desired)
        .where(and(eq(desired.runnerId, runnerId), eq(desired.kind, 'address-group'), eq(desired.deleted, false)));
      return rows.map(({ spec }) => specOf['address-group'].parse(spec));
    };
    const boot = () => cloud.create({ networks: [{ uuid: networkId }], security_groups: [{ name: 'g' }] });
    return { cloud, user, groupId, held, boot };
  }

  it('is those that rules of its security groups refer to, as they are now', async () => {
    const { user, groupId, held, boot } = await open();
    const [first, second] = [
      await made({ addresses: ['10.1.0.0/16'] }, user),
      await made({ addresses: ['10.2.0.0/16'] }, user),
    ];
    await newRule(groupId, { remote_address_group_id: first.id }, user);
    expect(await held()).toEqual([]);
    await boot();
    expect(await held()).toEqual([{ id: first.id, addresses: ['10.1.0.0/16'] }]);
    await change(first.id, 'add', ['10.3.0.0/16'], user);
    expect(await held()).toEqual([{ id: first.id, addresses: ['10.1.0.0/16', '10.3.0.0/16'] }]);
    const rule = await newRule(groupId, { remote_address_group_id: second.id, protocol: 'tcp' }, user);
    expect((await held()).map(({ id }) => id).sort()).toEqual([first.id, second.id].sort());
    await net(user, 'DELETE', `/security-group-rules/${rule.body.security_group_rule.id}`);
    expect((await held()).map(({ id }) => id)).toEqual([first.id]);
  });

  it('goes with the last port that needs it', async () => {
    const { user, groupId, held, boot } = await open();
    const group = await made({ addresses: ['10.1.0.0/16'] }, user);
    await newRule(groupId, { remote_address_group_id: group.id }, user);
    const serverId = await boot();
    expect(await held()).toHaveLength(1);
    const [port] = (await net(user, 'GET', `/ports?device_id=${serverId}`)).body.ports;
    const put = (security_groups: string[]) => net(user, 'PUT', `/ports/${port.id}`, { port: { security_groups } });
    expect((await put([])).status).toBe(200);
    expect(await held()).toEqual([]);
    expect((await put([groupId])).status).toBe(200);
    expect(await held()).toHaveLength(1);
  });
});
