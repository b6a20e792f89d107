import { beforeAll, describe, expect, it } from 'vitest';
import { net, newMember, newNetwork, unlimited } from '../../../test/edge-network.ts';
import { type Actor, mintActor } from '../../../test/edge-tokens.ts';

let member: Actor;
let admin: Actor;
beforeAll(async () => {
  member = await newMember();
  admin = await mintActor('admin');
  await unlimited(member);
});

const problem = (answer: Awaited<ReturnType<typeof net>>) => [answer.status, answer.body.NeutronError.type];
const newGroup = async (actor = member, group: Record<string, unknown> = { name: 'g' }) =>
  (await net(actor, 'POST', '/security-groups', { security_group: group })).body.security_group;
const addRule = (groupId: string, rule: Record<string, unknown>, actor = member) =>
  net(actor, 'POST', '/security-group-rules', {
    security_group_rule: { security_group_id: groupId, direction: 'ingress', ...rule },
  });

describe('the default group', () => {
  it('is there as soon as anyone looks, once, with its rules', async () => {
    const actor = await newMember();
    const looks = await Promise.all(Array.from({ length: 8 }, () => net(actor, 'GET', '/security-groups')));
    const ids = looks.flatMap(({ body }) => body.security_groups.map((group: { id: string }) => group.id));
    expect(ids).toHaveLength(8);
    expect(new Set(ids).size).toBe(1);
    const [group] = looks[0]?.body.security_groups ?? [];
    expect(group).toMatchObject({
      name: 'default',
      description: 'Default security group',
      project_id: actor.projectId,
      stateful: true,
      shared: false,
    });
    const rules = group.security_group_rules.map((rule: Record<string, unknown>) => [
      rule.direction,
      rule.ethertype,
      rule.remote_group_id,
      rule.belongs_to_default_sg,
    ]);
    expect(rules.sort()).toEqual([
      ['egress', 'IPv4', null, true],
      ['egress', 'IPv6', null, true],
      ['ingress', 'IPv4', group.id, true],
      ['ingress', 'IPv6', group.id, true],
    ]);
  });

  it('is made once by ports that need it at once', async () => {
    const actor = await newMember();
    const { networkId } = await newNetwork(actor);
    const ports = await Promise.all(
      Array.from({ length: 6 }, () => net(actor, 'POST', '/ports', { port: { network_id: networkId } })),
    );
    expect(ports.map(({ status }) => status)).toEqual(Array(6).fill(201));
    const groups = new Set(ports.flatMap(({ body }) => body.port.security_groups));
    expect(groups.size).toBe(1);
    expect((await net(actor, 'GET', '/security-groups')).body.security_groups).toHaveLength(1);
  });

  it('is neither renamed nor removed, but by an admin', async () => {
    const { body } = await net(member, 'GET', '/security-groups?name=default');
    const path = `/security-groups/${body.security_groups[0].id}`;
    expect(problem(await net(member, 'DELETE', path))).toEqual([409, 'SecurityGroupCannotRemoveDefault']);
    expect(problem(await net(member, 'PUT', path, { security_group: { name: 'x' } }))).toEqual([
      409,
      'SecurityGroupCannotUpdateDefault',
    ]);
    expect((await net(member, 'PUT', path, { security_group: { description: 'x' } })).status).toBe(200);
    const taken = await net(member, 'POST', '/security-groups', { security_group: { name: 'Default' } });
    expect(problem(taken)).toEqual([409, 'SecurityGroupDefaultAlreadyExists']);
    expect((await net(admin, 'DELETE', path)).status).toBe(204);
  });
});

describe('a security group', () => {
  it('is created, shown, changed and deleted as Neutron does it', async () => {
    const group = await newGroup(member, { name: 'web', description: 'd' });
    expect(group).toMatchObject({ name: 'web', description: 'd', tenant_id: member.projectId, revision_number: 1 });
    expect(group.security_group_rules).toHaveLength(2);
    expect(group.security_group_rules[0]).toEqual({
      id: expect.any(String),
      security_group_id: group.id,
      direction: 'egress',
      ethertype: expect.stringMatching(/^IPv[46]$/),
      protocol: null,
      port_range_min: null,
      port_range_max: null,
      remote_ip_prefix: null,
      normalized_cidr: null,
      remote_group_id: null,
      remote_address_group_id: null,
      belongs_to_default_sg: false,
      tenant_id: member.projectId,
      project_id: member.projectId,
      description: '',
      tags: [],
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
      revision_number: 0,
    });
    const path = `/security-groups/${group.id}`;
    expect((await net(member, 'GET', path)).body.security_group).toEqual(group);
    const changed = await net(member, 'PUT', path, { security_group: { name: 'w' } });
    expect(changed.body.security_group).toMatchObject({ name: 'w', description: 'd', revision_number: 2 });
    expect((await net(member, 'PUT', path, { security_group: {} }, { 'if-match': 'revision_number=1' })).status).toBe(
      412,
    );
    expect((await net(member, 'DELETE', path)).status).toBe(204);
    const gone = await net(member, 'GET', path);
    expect(gone.body.NeutronError).toEqual({
      type: 'SecurityGroupNotFound',
      message: `Security group ${group.id} does not exist`,
      detail: '',
    });
    const stateless = await net(member, 'POST', '/security-groups', { security_group: { stateful: false } });
    expect([stateless.status, stateless.body.security_group.stateful]).toEqual([201, false]);
    const own = `/security-groups/${stateless.body.security_group.id}`;
    const turn = (stateful: boolean) => net(member, 'PUT', own, { security_group: { stateful } });
    expect((await turn(true)).body.security_group.stateful).toBe(true);
    const { networkId } = await newNetwork(member);
    const port = { network_id: networkId, security_groups: [stateless.body.security_group.id] };
    expect((await net(member, 'POST', '/ports', { port })).status).toBe(201);
    expect(problem(await turn(false))).toEqual([409, 'SecurityGroupInUse']);
  });

  it('stays while a port has it', async () => {
    const group = await newGroup();
    const { networkId } = await newNetwork(member);
    const { body } = await net(member, 'POST', '/ports', {
      port: { network_id: networkId, security_groups: [group.id] },
    });
    expect(problem(await net(member, 'DELETE', `/security-groups/${group.id}`))).toEqual([409, 'SecurityGroupInUse']);
    await net(member, 'PUT', `/ports/${body.port.id}`, { port: { security_groups: [] } });
    expect((await net(member, 'DELETE', `/security-groups/${group.id}`)).status).toBe(204);
  });

  it('takes the rules of others about it along', async () => {
    const [one, two] = [await newGroup(), await newGroup()];
    const { body } = await addRule(one.id, { remote_group_id: two.id });
    expect((await net(member, 'DELETE', `/security-groups/${two.id}`)).status).toBe(204);
    expect((await net(member, 'GET', `/security-group-rules/${body.security_group_rule.id}`)).status).toBe(404);
  });
});

describe('a rule', () => {
  it('is created, shown, listed, described and deleted', async () => {
    const group = await newGroup();
    const created = await addRule(group.id, {
      protocol: 'TCP',
      port_range_min: '22',
      port_range_max: 22,
      remote_ip_prefix: '10.1.2.3/8',
    });
    expect(created.status).toBe(201);
    const rule = created.body.security_group_rule;
    expect(rule).toMatchObject({
      protocol: 'tcp',
      port_range_min: 22,
      port_range_max: 22,
      remote_ip_prefix: '10.1.2.3/8',
      normalized_cidr: '10.0.0.0/8',
      ethertype: 'IPv4',
      security_group_id: group.id,
    });
    const path = `/security-group-rules/${rule.id}`;
    expect((await net(member, 'GET', path)).body.security_group_rule).toEqual(rule);
    const listed = await net(member, 'GET', `/security-group-rules?security_group_id=${group.id}&direction=ingress`);
    expect(listed.body.security_group_rules).toEqual([rule]);
    expect(
      (await net(member, 'PUT', path, { security_group_rule: { description: 'ssh' } })).body.security_group_rule
        .description,
    ).toBe('ssh');
    expect((await net(member, 'PUT', path, { security_group_rule: { protocol: 'udp' } })).status).toBe(400);
    expect((await net(member, 'GET', `/security-groups/${group.id}`)).body.security_group.revision_number).toBe(2);
    expect((await net(member, 'DELETE', path)).status).toBe(204);
    expect(problem(await net(member, 'DELETE', path))).toEqual([404, 'SecurityGroupRuleNotFound']);
  });

  it('is there once, even when it is added twice at once', async () => {
    const group = await newGroup();
    const ssh = { protocol: 'tcp', port_range_min: 22, port_range_max: 22 };
    const answers = await Promise.all([ssh, { ...ssh, protocol: '6' }, ssh].map((rule) => addRule(group.id, rule)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    const { id } = answers.find(({ status }) => status === 201)?.body.security_group_rule ?? {};
    const again = await addRule(group.id, ssh);
    expect(again.body.NeutronError).toMatchObject({
      type: 'SecurityGroupRuleExists',
      message: `Security group rule already exists. Rule id is ${id}.`,
    });
    const bulk = {
      security_group_rules: [0, 1].map(() => ({ security_group_id: group.id, direction: 'egress', protocol: 'udp' })),
    };
    expect(problem(await net(member, 'POST', '/security-group-rules', bulk))).toEqual([
      409,
      'DuplicateSecurityGroupRuleInPost',
    ]);
  });

  it.each([
    [{ direction: 'sideways' }, 400, 'HTTPBadRequest'],
    [{ ethertype: 'IPv5' }, 400, 'SecurityGroupRuleInvalidEtherType'],
    [{ protocol: 'foo' }, 400, 'SecurityGroupRuleInvalidProtocol'],
    [{ protocol: 256 }, 400, 'SecurityGroupRuleInvalidProtocol'],
    [{ protocol: 'tcp', port_range_min: 'x' }, 400, 'SecurityGroupInvalidPortValue'],
    [{ protocol: 'tcp', port_range_min: 70_000, port_range_max: 70_001 }, 400, 'SecurityGroupInvalidPortValue'],
    [{ remote_ip_prefix: 'x' }, 400, 'InvalidCIDR'],
    [{ remote_group_id: '00000000-0000-4000-8000-000000000000' }, 404, 'SecurityGroupNotFound'],
    [{ remote_group_id: 'bad_rgid' }, 404, 'SecurityGroupNotFound'],
    [{ security_group_id: 'nonsense' }, 404, 'SecurityGroupNotFound'],
    [{ security_group_id: '00000000-0000-4000-8000-000000000000' }, 404, 'SecurityGroupNotFound'],
  ])('%j is refused', async (rule, status, type) => {
    const group = await newGroup();
    expect(problem(await addRule(group.id, rule))).toEqual([status, type]);
  });

  it('goes into one group at a time', async () => {
    const [one, two] = [await newGroup(), await newGroup()];
    const rules = [one.id, two.id].map((security_group_id) => ({ security_group_id, direction: 'ingress' }));
    const answer = await net(member, 'POST', '/security-group-rules', { security_group_rules: rules });
    expect(problem(answer)).toEqual([400, 'SecurityGroupNotSingleGroupRules']);
  });
});

describe('who may', () => {
  it('a project on its own groups, and nobody on those of others', async () => {
    const group = await newGroup();
    const rule = (await addRule(group.id, {})).body.security_group_rule;
    const stranger = await newMember();
    expect((await net(stranger, 'GET', `/security-groups/${group.id}`)).status).toBe(404);
    expect((await net(stranger, 'PUT', `/security-groups/${group.id}`, { security_group: { name: 'x' } })).status).toBe(
      404,
    );
    expect((await net(stranger, 'DELETE', `/security-groups/${group.id}`)).status).toBe(404);
    expect((await net(stranger, 'GET', `/security-group-rules/${rule.id}`)).status).toBe(404);
    expect((await net(stranger, 'DELETE', `/security-group-rules/${rule.id}`)).status).toBe(404);
    expect((await addRule(group.id, { protocol: 'udp' }, stranger)).status).toBe(404);
    const own = await newGroup(stranger);
    expect((await addRule(own.id, { remote_group_id: group.id }, stranger)).status).toBe(404);
    const { networkId } = await newNetwork(stranger);
    const port = { network_id: networkId, security_groups: [group.id] };
    expect((await net(stranger, 'POST', '/ports', { port })).status).toBe(404);
    expect((await net(admin, 'GET', `/security-groups/${group.id}`)).status).toBe(200);
  });

  it('a reader reads', async () => {
    const group = await newGroup();
    const rule = (await addRule(group.id, {})).body.security_group_rule;
    const reader = await mintActor('reader', member.projectId);
    expect((await net(reader, 'GET', `/security-groups/${group.id}`)).status).toBe(200);
    expect((await net(reader, 'GET', `/security-group-rules/${rule.id}`)).status).toBe(200);
    expect((await net(reader, 'POST', '/security-groups', { security_group: {} })).status).toBe(403);
    expect((await net(reader, 'PUT', `/security-groups/${group.id}`, { security_group: {} })).status).toBe(403);
    expect((await net(reader, 'DELETE', `/security-groups/${group.id}`)).status).toBe(403);
    expect((await addRule(group.id, { protocol: 'udp' }, reader)).status).toBe(403);
    expect((await net(reader, 'PUT', `/security-group-rules/${rule.id}`, { security_group_rule: {} })).status).toBe(
      403,
    );
    expect((await net(reader, 'DELETE', `/security-group-rules/${rule.id}`)).status).toBe(403);
    for (const path of ['/security-groups', '/security-group-rules'])
      expect((await net(null, 'GET', path)).status).toBe(401);
  });
});
