import { beforeEach, describe, expect, it } from 'vitest';
import { inOwnRegion, type NetActor, net, newMember, newNetwork, unlimited } from '../../../test/edge-network.ts';
import { mintActor } from '../../../test/edge-tokens.ts';

let owner: NetActor;
let friend: NetActor;
let stranger: NetActor;
let admin: NetActor;
beforeEach(async () => {
  owner = inOwnRegion(await newMember());
  friend = inOwnRegion(await newMember(), owner.region);
  stranger = inOwnRegion(await newMember(), owner.region);
  admin = inOwnRegion(await mintActor('admin'), owner.region);
});

const fault = ({ status, body }: Awaited<ReturnType<typeof net>>) => [status, body?.NeutronError?.type];
const share = (object: { type: string; id: string; action?: string }, target: string, as: NetActor = owner) =>
  net(as, 'POST', '/rbac-policies', {
    rbac_policy: {
      object_type: object.type,
      object_id: object.id,
      action: object.action ?? 'access_as_shared',
      target_tenant: target,
    },
  });
const policyId = async (answer: ReturnType<typeof share>) => (await answer).body.rbac_policy.id;
const remove = (id: string, as: NetActor = owner) => net(as, 'DELETE', `/rbac-policies/${id}`);
const newPort = (as: NetActor, port: object) => net(as, 'POST', '/ports', { port });
const ids = (rows: { id: string }[]) => rows.map(({ id }) => id);

describe('a network that a policy shares', () => {
  it('is seen and used by the project it is shared with, with its subnets, and by no other', async () => {
    const { networkId, subnetId } = await newNetwork(owner);
    expect((await net(friend, 'GET', `/networks/${networkId}`)).status).toBe(404);
    const made = await share({ type: 'network', id: networkId }, friend.projectId);
    expect(made.status).toBe(201);
    expect(made.body.rbac_policy).toEqual({
      id: expect.any(String),
      project_id: owner.projectId,
      tenant_id: owner.projectId,
      object_type: 'network',
      object_id: networkId,
      action: 'access_as_shared',
      target_tenant: friend.projectId,
    });
    const seen = await net(friend, 'GET', `/networks/${networkId}`);
    expect([seen.status, seen.body.network.shared]).toEqual([200, true]);
    expect(ids((await net(friend, 'GET', '/networks')).body.networks)).toEqual([networkId]);
    expect((await net(friend, 'GET', `/subnets/${subnetId}`)).status).toBe(200);
    expect((await newPort(friend, { network_id: networkId })).status).toBe(201);
    // Its owner shares it with another, not with itself.
    expect((await net(owner, 'GET', `/networks/${networkId}`)).body.network.shared).toBe(false);
    expect((await net(stranger, 'GET', `/networks/${networkId}`)).status).toBe(404);
    expect((await net(stranger, 'GET', `/subnets/${subnetId}`)).status).toBe(404);
    expect(fault(await newPort(stranger, { network_id: networkId }))).toEqual([404, 'NetworkNotFound']);
    // The friend may use it, not change it.
    expect((await net(friend, 'PUT', `/networks/${networkId}`, { network: { name: 'x' } })).status).toBe(403);
  });

  it('is not unshared while the project relies on it, but where another policy lets it in', async () => {
    const { networkId } = await newNetwork(owner);
    const id = await policyId(share({ type: 'network', id: networkId }, friend.projectId));
    const port = (await newPort(friend, { network_id: networkId })).body.port.id;
    expect(fault(await remove(id))).toEqual([409, 'RbacPolicyInUse']);
    const moved = { rbac_policy: { target_tenant: stranger.projectId } };
    expect(fault(await net(owner, 'PUT', `/rbac-policies/${id}`, moved))).toEqual([409, 'RbacPolicyInUse']);
    const everyone = await policyId(share({ type: 'network', id: networkId }, '*', admin));
    expect((await net(owner, 'PUT', `/rbac-policies/${id}`, moved)).status).toBe(200);
    expect(fault(await remove(everyone, admin))).toEqual([409, 'RbacPolicyInUse']);
    expect((await net(friend, 'DELETE', `/ports/${port}`)).status).toBe(204);
    expect((await remove(everyone, admin)).status).toBe(204);
    expect((await net(friend, 'GET', `/networks/${networkId}`)).status).toBe(404);
    expect((await net(stranger, 'GET', `/networks/${networkId}`)).status).toBe(200);
  });

  it('cannot be unshared and used at once', async () => {
    const { networkId } = await newNetwork(owner);
    for (let round = 0; round < 8; round++) {
      const id = await policyId(share({ type: 'network', id: networkId }, friend.projectId));
      const [port, removed] = await Promise.all([newPort(friend, { network_id: networkId }), remove(id)]);
      expect([port.status, removed.status].sort()).not.toEqual([201, 204]);
      if (port.status !== 201) continue;
      await net(friend, 'DELETE', `/ports/${port.body.port.id}`);
      await remove(id);
    }
  });

  it('is what `shared` means, told both ways', async () => {
    const made = await net(admin, 'POST', '/networks', { network: { name: 'n', shared: true } });
    const { id } = made.body.network;
    const policies = async () => (await net(admin, 'GET', `/rbac-policies?object_id=${id}`)).body.rbac_policies;
    const [policy] = await policies();
    expect(policy).toMatchObject({ target_tenant: '*', action: 'access_as_shared', object_id: id });
    expect((await remove(policy.id, admin)).status).toBe(204);
    expect((await net(admin, 'GET', `/networks/${id}`)).body.network.shared).toBe(false);
    expect((await net(friend, 'GET', `/networks/${id}`)).status).toBe(404);
    const before = (await net(admin, 'GET', `/networks/${id}`)).body.network.revision_number;
    await share({ type: 'network', id }, '*', admin);
    const shared = (await net(friend, 'GET', `/networks/${id}`)).body.network;
    expect([shared.shared, shared.revision_number > before]).toEqual([true, true]);
    expect((await net(admin, 'PUT', `/networks/${id}`, { network: { shared: false } })).body.network.shared).toBe(
      false,
    );
    expect(await policies()).toEqual([]);
    expect((await net(admin, 'PUT', `/networks/${id}`, { network: { shared: true } })).body.network.shared).toBe(true);
    expect(await policies()).toHaveLength(1);
    expect((await net(admin, 'DELETE', `/networks/${id}`)).status).toBe(204);
    expect(await policies()).toEqual([]);
  });

  it('is one that routers may have as gateway where the policy says so: seen, but not its subnets', async () => {
    const { networkId, subnetId } = await newNetwork(owner);
    const made = await share({ type: 'network', id: networkId, action: 'access_as_external' }, friend.projectId);
    expect(made.status).toBe(201);
    expect((await net(friend, 'GET', `/networks/${networkId}`)).body.network).toMatchObject({
      shared: false,
      'router:external': true,
    });
    expect((await net(friend, 'GET', `/subnets/${subnetId}`)).status).toBe(404);
    expect((await net(stranger, 'GET', `/networks/${networkId}`)).status).toBe(404);
  });
});

describe('an external network', () => {
  it('is for everyone while routers get it that name none', async () => {
    const network = { 'router:external': true, is_default: true };
    const { id } = (await net(admin, 'POST', '/networks', { network })).body.network;
    const { body } = await net(admin, 'GET', `/rbac-policies?object_id=${id}`);
    const [policy] = body.rbac_policies;
    expect(fault(await remove(policy.id, admin))).toEqual([409, 'RbacPolicyInUse']);
    const moved = { rbac_policy: { target_tenant: friend.projectId } };
    expect(fault(await net(admin, 'PUT', `/rbac-policies/${policy.id}`, moved))).toEqual([409, 'RbacPolicyInUse']);
    expect((await net(admin, 'PUT', `/networks/${id}`, { network: { is_default: false } })).status).toBe(200);
    expect((await remove(policy.id, admin)).status).toBe(204);
  });

  it('is what `router:external` means, told both ways', async () => {
    const made = await net(admin, 'POST', '/networks', { network: { 'router:external': true } });
    const { id } = made.body.network;
    const external = async () => (await net(admin, 'GET', `/networks/${id}`)).body.network['router:external'];
    const policies = async () => (await net(admin, 'GET', `/rbac-policies?object_id=${id}`)).body.rbac_policies;
    expect(await policies()).toMatchObject([{ action: 'access_as_external', target_tenant: '*' }]);
    expect((await net(stranger, 'GET', `/networks/${id}`)).status).toBe(200);
    await net(admin, 'PUT', `/networks/${id}`, { network: { 'router:external': false } });
    expect([await policies(), await external()]).toEqual([[], false]);
    expect((await net(stranger, 'GET', `/networks/${id}`)).status).toBe(404);
    const friends = await policyId(
      share({ type: 'network', id, action: 'access_as_external' }, friend.projectId, admin),
    );
    expect(await external()).toBe(true);
    await remove(friends, admin);
    expect(await external()).toBe(false);
  });
});

describe('a security group that a policy shares', () => {
  it('is seen, and taken for ports, by the project it is shared with, until that lets it go', async () => {
    const group = (await net(owner, 'POST', '/security-groups', { security_group: { name: 'g' } })).body.security_group;
    const { networkId } = await newNetwork(friend);
    const port = { network_id: networkId, security_groups: [group.id] };
    expect(fault(await newPort(friend, port))).toEqual([404, 'SecurityGroupNotFound']);
    const id = await policyId(share({ type: 'security_group', id: group.id }, friend.projectId));
    const seen = await net(friend, 'GET', `/security-groups/${group.id}`);
    expect([seen.status, seen.body.security_group.shared]).toEqual([200, true]);
    const made = await newPort(friend, port);
    expect([made.status, made.body.port.security_groups]).toEqual([201, [group.id]]);
    expect(fault(await remove(id))).toEqual([409, 'RbacPolicyInUse']);
    expect((await net(friend, 'PUT', `/security-groups/${group.id}`, { security_group: { name: 'x' } })).status).toBe(
      403,
    );
    const rule = { security_group_id: group.id, direction: 'ingress' };
    expect((await net(friend, 'POST', '/security-group-rules', { security_group_rule: rule })).status).toBe(403);
    expect((await net(stranger, 'GET', `/security-groups/${group.id}`)).status).toBe(404);
    expect(fault(await newPort(stranger, { ...port, network_id: (await newNetwork(stranger)).networkId }))).toEqual([
      404,
      'SecurityGroupNotFound',
    ]);
    await net(friend, 'DELETE', `/ports/${made.body.port.id}`);
    expect((await remove(id)).status).toBe(204);
    expect((await net(friend, 'GET', `/security-groups/${group.id}`)).status).toBe(404);
  });
});

describe('a policy', () => {
  it('is refused where it makes no sense, or is there already', async () => {
    const { networkId: id } = await newNetwork(owner);
    const type = 'network';
    const friends = friend.projectId;
    expect(fault(await share({ type: 'port', id }, friends))).toEqual([400, 'InvalidInput']);
    expect(fault(await share({ type, id, action: 'access' }, friends))).toEqual([400, 'InvalidActionForType']);
    const group = { type: 'security_group', id, action: 'access_as_external' };
    expect(fault(await share(group, friends))).toEqual([400, 'InvalidActionForType']);
    expect(fault(await share({ type, id }, 'friends'))).toEqual([400, 'InvalidInput']);
    expect(fault(await share({ type, id: crypto.randomUUID() }, friends))).toEqual([404, 'NetworkNotFound']);
    expect(fault(await share({ type, id }, friends, friend))).toEqual([404, 'NetworkNotFound']);
    expect((await share({ type, id }, friends)).status).toBe(201);
    expect(fault(await share({ type, id }, friends))).toEqual([409, 'DuplicateRbacPolicy']);
    // One that sees the network by that does not share it on.
    expect(fault(await share({ type, id }, stranger.projectId, friend))).toEqual([400, 'InvalidInput']);
  });

  it('is seen by who made it, and limited', async () => {
    const { networkId: id } = await newNetwork(owner);
    const made = await Promise.all(
      Array.from({ length: 14 }, () => share({ type: 'network', id }, crypto.randomUUID())),
    );
    expect(made.filter(({ status }) => status === 201)).toHaveLength(10);
    expect(made.filter((one) => one.status === 409).map(fault)).toEqual(Array(4).fill([409, 'OverQuota']));
    await unlimited(owner);
    const friends = await policyId(share({ type: 'network', id }, friend.projectId));
    expect((await net(friend, 'GET', `/rbac-policies/${friends}`)).status).toBe(404);
    expect((await net(friend, 'GET', '/rbac-policies')).body.rbac_policies).toEqual([]);
    const fields = await net(owner, 'GET', `/rbac-policies?target_tenant=${friend.projectId}&fields=id`);
    expect(fields.body.rbac_policies).toEqual([{ id: friends }]);
  });
});

it('a subnet pool is shared only with who may use its address scope', async () => {
  const scope = (await net(admin, 'POST', '/address-scopes', { address_scope: { name: 's', ip_version: 4 } })).body
    .address_scope.id;
  await share({ type: 'address_scope', id: scope }, owner.projectId, admin);
  const subnetpool = { name: 'p', prefixes: ['10.0.0.0/8'], address_scope_id: scope };
  const { id } = (await net(owner, 'POST', '/subnetpools', { subnetpool })).body.subnetpool;
  expect(fault(await share({ type: 'subnetpool', id }, friend.projectId))).toEqual([400, 'InvalidInput']);
  await share({ type: 'address_scope', id: scope }, friend.projectId, admin);
  expect((await share({ type: 'subnetpool', id }, friend.projectId)).status).toBe(201);
});
