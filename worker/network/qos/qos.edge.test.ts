import { and, eq } from 'drizzle-orm';
import { beforeEach, describe, expect, it } from 'vitest';
import { desired, runners } from '../../../db/schema/fleet.ts';
import { specOf } from '../../../shared/specs/kinds.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { type NetActor, net, newMember, newNetwork, testDatabase } from '../../../test/edge-network.ts';
import { mintActor } from '../../../test/edge-tokens.ts';

const db = testDatabase();
let admin: NetActor;
let member: NetActor;
beforeEach(async () => {
  admin = await mintActor('admin');
  member = await newMember();
});

const fault = ({ status, body }: Awaited<ReturnType<typeof net>>) => [status, body?.NeutronError?.type];
const made = async (policy: object = {}, as = admin) =>
  (await net(as, 'POST', '/qos/policies', { policy: { name: 'p', ...policy } })).body.policy;
const limit = (policyId: string, rule: object, as = admin) =>
  net(as, 'POST', `/qos/policies/${policyId}/bandwidth_limit_rules`, { bandwidth_limit_rule: rule });
const mark = (policyId: string, dscp_mark: number, as = admin) =>
  net(as, 'POST', `/qos/policies/${policyId}/dscp_marking_rules`, { dscp_marking_rule: { dscp_mark } });

describe('a QoS policy', () => {
  it('has rules, one of a type and direction, and shows them', async () => {
    const policy = await made({ description: 'd', shared: true });
    expect(policy).toMatchObject({ name: 'p', description: 'd', shared: true, is_default: false, rules: [] });
    const out = await limit(policy.id, { max_kbps: 1000, max_burst_kbps: 100 });
    expect([out.status, out.body.bandwidth_limit_rule]).toEqual([
      201,
      { id: expect.any(String), max_kbps: 1000, max_burst_kbps: 100, direction: 'egress' },
    ]);
    const inward = await limit(policy.id, { max_kbps: 2000, direction: 'ingress' });
    const rule = `/qos/policies/${policy.id}/bandwidth_limit_rules/${inward.body.bandwidth_limit_rule.id}`;
    expect(fault(await limit(policy.id, { max_kbps: 1 }))).toEqual([409, 'QoSRulesConflict']);
    expect((await mark(policy.id, 26)).body.dscp_marking_rule).toEqual({ id: expect.any(String), dscp_mark: 26 });
    expect(fault(await mark(policy.id, 26))).toEqual([409, 'QoSRulesConflict']);
    expect(fault(await mark(policy.id, 58))).toEqual([400, 'HTTPBadRequest']);
    const put = (values: object) => net(admin, 'PUT', rule, { bandwidth_limit_rule: values });
    expect((await put({ max_kbps: 3000 })).body.bandwidth_limit_rule.max_kbps).toBe(3000);
    expect(fault(await put({ direction: 'egress' }))).toEqual([409, 'QoSRulesConflict']);
    const shown = (await net(member, 'GET', `/qos/policies/${policy.id}`)).body.policy;
    const types = shown.rules.map((one: Record<string, unknown>) => [one.type, one.direction]);
    expect(types).toEqual([
      ['bandwidth_limit', 'egress'],
      ['bandwidth_limit', 'ingress'],
      ['dscp_marking', undefined],
    ]);
    expect((await net(member, 'GET', rule)).status).toBe(200);
    expect((await net(admin, 'DELETE', rule)).status).toBe(204);
    expect(fault(await net(admin, 'GET', rule))).toEqual([404, 'QosRuleNotFound']);
    expect((await net(admin, 'DELETE', `/qos/policies/${policy.id}`)).status).toBe(204);
    expect(fault(await limit(policy.id, { max_kbps: 1 }))).toEqual([404, 'QosPolicyNotFound']);
  });

  it('has tags, by Neutron`s path and by openstacksdk`s, that who may change it sets', async () => {
    const { id } = await made({ shared: true });
    for (const path of [`/policies/${id}/tags`, `/qos/policies/${id}/tags`]) {
      expect((await net(member, 'PUT', path, { tags: ['red'] })).status).toBe(403);
      expect((await net(admin, 'PUT', path, { tags: ['red', 'blue'] })).body).toEqual({ tags: ['red', 'blue'] });
      expect((await net(member, 'GET', path)).body).toEqual({ tags: ['red', 'blue'] });
    }
    expect((await net(member, 'GET', `/qos/policies?tags=red&id=${id}`)).body.policies).toHaveLength(1);
    expect((await net(member, 'GET', `/qos/policies?not-tags=red&id=${id}`)).body.policies).toEqual([]);
  });

  it('lists the rule types that hosts know, and what they take', async () => {
    const types = (await net(member, 'GET', '/qos/rule-types')).body.rule_types;
    expect(types).toEqual([{ type: 'bandwidth_limit' }, { type: 'dscp_marking' }]);
    const { id } = await made();
    for (const other of ['minimum_bandwidth', 'packet_rate_limit', 'minimum_packet_rate']) {
      expect((await net(admin, 'GET', `/qos/rule-types/${other}`)).status).toBe(404);
      expect((await net(admin, 'POST', `/qos/policies/${id}/${other}_rules`, { [`${other}_rule`]: {} })).status).toBe(
        404,
      );
    }
    const taken = async (type: string) => {
      const { drivers } = (await net(admin, 'GET', `/qos/rule-types/${type}`)).body.rule_type;
      return drivers[0].supported_parameters.map((one: Record<string, unknown>) => Object.values(one).slice(0, 2));
    };
    expect(await taken('dscp_marking')).toEqual([['dscp_mark', 'choices']]);
    expect(await taken('bandwidth_limit')).toContainEqual(['max_kbps', 'range']);
  });

  it('is given to networks and ports by who sees it, and stays while they have it', async () => {
    const [hidden, shared] = [await made(), await made({ shared: true })];
    const create = (qos_policy_id: string) => net(member, 'POST', '/networks', { network: { qos_policy_id } });
    expect(fault(await create(hidden.id))).toEqual([404, 'QosPolicyNotFound']);
    const network = (await create(shared.id)).body.network;
    expect(network.qos_policy_id).toBe(shared.id);
    const { networkId } = await newNetwork(member);
    const refused = await net(member, 'POST', '/ports', { port: { network_id: networkId, qos_policy_id: hidden.id } });
    expect(fault(refused)).toEqual([404, 'QosPolicyNotFound']);
    const port = await net(member, 'POST', '/ports', { port: { network_id: networkId, qos_policy_id: shared.id } });
    expect(port.body.port).toMatchObject({ qos_policy_id: shared.id, qos_network_policy_id: null });
    const remove = () => net(admin, 'DELETE', `/qos/policies/${shared.id}`);
    expect(fault(await remove())).toEqual([409, 'QosPolicyInUse']);
    const unshare = () => net(admin, 'PUT', `/qos/policies/${shared.id}`, { policy: { shared: false } });
    expect(fault(await unshare())).toEqual([409, 'RbacPolicyInUse']);
    const free = (path: string, one: string) => net(member, 'PUT', path, { [one]: { qos_policy_id: null } });
    expect((await free(`/ports/${port.body.port.id}`, 'port')).body.port.qos_policy_id).toBe(null);
    expect((await free(`/networks/${network.id}`, 'network')).body.network.qos_policy_id).toBe(null);
    expect((await unshare()).body.policy.shared).toBe(false);
    expect((await remove()).status).toBe(204);
  });

  it('that an admin gave is not taken away by who does not see it', async () => {
    const hidden = await made();
    const { networkId } = await newNetwork(member);
    const put = (as: NetActor, qos_policy_id: string | null) =>
      net(as, 'PUT', `/networks/${networkId}`, { network: { qos_policy_id } });
    expect((await put(admin, hidden.id)).status).toBe(200);
    expect(fault(await put(member, null))).toEqual([403, 'PolicyRemoveAuthorizationError']);
    expect((await net(member, 'POST', '/ports', { port: { network_id: networkId } })).body.port).toMatchObject({
      qos_policy_id: null,
      qos_network_policy_id: hidden.id,
    });
    expect((await put(admin, null)).status).toBe(200);
  });

  it('is what new networks of the project get, where it is its default', async () => {
    const policy = await made({ is_default: true, project_id: member.projectId });
    const again = await net(admin, 'POST', '/qos/policies', {
      policy: { name: 'q', is_default: true, project_id: member.projectId },
    });
    expect(fault(again)).toEqual([409, 'QoSPolicyDefaultAlreadyExists']);
    expect((await net(member, 'POST', '/networks', { network: {} })).body.network.qos_policy_id).toBe(policy.id);
    const without = await net(member, 'POST', '/networks', { network: { qos_policy_id: null } });
    expect(without.body.network.qos_policy_id).toBe(null);
  });
});

describe('what a host is told of QoS', () => {
  it('is the port`s policy, or its network`s, as its rules are now', async () => {
    const cloud = await ComputeCloud.open();
    const runnerId = await cloud.addRunner();
    const user: NetActor = { ...cloud.user, region: cloud.region };
    const boss: NetActor = { ...cloud.admin, region: cloud.region };
    const { networkId } = await cloud.addNetwork();
    await cloud.create({ networks: [{ uuid: networkId }] });
    const qos = async () => {
      const [row] = await db
        .select()
        .from(desired)
        .where(and(eq(desired.runnerId, runnerId), eq(desired.kind, 'port')));
      return specOf.port.parse(row?.spec).qos;
    };
    const generation = async () =>
      (await db.select().from(runners).where(eq(runners.id, runnerId)))[0]?.generation ?? 0;
    expect(await qos()).toBe(null);
    const [ofNetwork, ofPort] = [await made({ shared: true }, boss), await made({ shared: true }, boss)];
    await limit(ofNetwork.id, { max_kbps: 1000, max_burst_kbps: 50 }, boss);
    await net(user, 'PUT', `/networks/${networkId}`, { network: { qos_policy_id: ofNetwork.id } });
    const none = {
      egress_kbps: null,
      egress_burst_kbits: null,
      ingress_kbps: null,
      ingress_burst_kbits: null,
      dscp_mark: null,
    };
    expect(await qos()).toEqual({ ...none, egress_kbps: 1000, egress_burst_kbits: 50 });
    const before = await generation();
    await limit(ofNetwork.id, { max_kbps: 2000, direction: 'ingress' }, boss);
    expect(await qos()).toEqual({ ...none, egress_kbps: 1000, egress_burst_kbits: 50, ingress_kbps: 2000 });
    expect(await generation()).toBe(before + 1);
    const [port] = (await net(user, 'GET', `/ports?network_id=${networkId}&device_owner=compute:nova`)).body.ports;
    await mark(ofPort.id, 46, boss);
    await net(user, 'PUT', `/ports/${port.id}`, { port: { qos_policy_id: ofPort.id } });
    expect(await qos()).toEqual({ ...none, dscp_mark: 46 });
    await net(user, 'PUT', `/ports/${port.id}`, { port: { qos_policy_id: null } });
    await net(user, 'PUT', `/networks/${networkId}`, { network: { qos_policy_id: null } });
    expect(await qos()).toBe(null);
  });
});
