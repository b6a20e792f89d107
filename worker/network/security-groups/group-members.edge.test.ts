import { describe, expect, it } from 'vitest';
import { inOwnRegion, type NetActor, net, newMember, newNetwork, runnerRow } from '../../../test/edge-network.ts';
import { boot, contextOf, held, run } from '../../../test/edge-server-ports.ts';
import { releaseServerPorts } from '../server-ports.ts';

const port = async (actor: NetActor, id: string | undefined) => (await net(actor, 'GET', `/ports/${id}`)).body.port;

describe('members of a group', () => {
  it('are known to every host with a rule about the group, and to no other', async () => {
    const actor = inOwnRegion(await newMember());
    await newNetwork(actor);
    const ctx = contextOf(actor);
    const [one, two, three] = [await runnerRow(), await runnerRow(), await runnerRow()];
    const a = await boot(ctx, one);
    const [groupId] = (await port(actor, a.portIds[0])).security_groups;
    ctx.poked.length = 0;
    const b = await boot(ctx, two);
    expect(ctx.poked.sort()).toEqual([one, two].sort());
    const members = [a, b].map(({ portIds }) => `${groupId}:${portIds[0]}`).sort();
    expect((await held(one)).kinds('group-member')).toEqual(members);
    expect((await held(two)).kinds('group-member')).toEqual(members);
    expect((await held(three)).live.size).toBe(0);
    const before = (await held(one)).generations.get(`group-member ${members[0]}`);
    await boot(ctx, two);
    expect((await held(one)).generations.get(`group-member ${members[0]}`)).toBe(before);
    await run(ctx, releaseServerPorts(ctx, b.serverId));
    expect((await held(one)).kinds('group-member')).not.toContain(`${groupId}:${b.portIds[0]}`);
    expect((await held(two)).kinds('group-member')).toContain(`${groupId}:${a.portIds[0]}`);
  });

  it('come and go with the rules about the group', async () => {
    const actor = inOwnRegion(await newMember());
    await newNetwork(actor);
    const ctx = contextOf(actor);
    const made = await net(actor, 'POST', '/security-groups', { security_groups: [{ name: 'web' }, { name: 'db' }] });
    const [web, database] = made.body.security_groups;
    const [one, two] = [await runnerRow(), await runnerRow()];
    const a = await boot(ctx, one, { groups: ['web'] });
    await boot(ctx, two, { groups: ['db'] });
    expect((await held(two)).kinds('group-member')).toEqual([]);
    const rule = {
      security_group_id: database.id,
      direction: 'ingress',
      protocol: 'icmp',
      port_range_min: 8,
      remote_group_id: web.id,
    };
    const { body } = await net(actor, 'POST', '/security-group-rules', { security_group_rule: rule });
    const state = await held(two);
    expect(state.kinds('group-member')).toEqual([`${web.id}:${a.portIds[0]}`]);
    expect(state.live.get(`security-group ${database.id}`)?.rules).toContainEqual({
      id: body.security_group_rule.id,
      direction: 'ingress',
      ethertype: 'IPv4',
      protocol: 1,
      port_range_min: 8,
      port_range_max: null,
      remote_ip_prefix: null,
      remote_group_id: web.id,
      remote_address_group_id: null,
    });
    const c = await boot(ctx, one, { groups: ['web'] });
    expect((await held(two)).kinds('group-member')).toHaveLength(2);
    await net(actor, 'PUT', `/ports/${c.portIds[0]}`, { port: { security_groups: [] } });
    expect((await held(two)).kinds('group-member')).toEqual([`${web.id}:${a.portIds[0]}`]);
    const before = (await held(one)).generation;
    expect((await net(actor, 'DELETE', `/security-group-rules/${body.security_group_rule.id}`)).status).toBe(204);
    const after = await held(two);
    expect(after.kinds('group-member')).toEqual([]);
    expect(after.gone).toContain(`group-member ${web.id}:${a.portIds[0]}`);
    expect(after.generations.get(`security-group ${database.id}`)).toBe(after.generation);
    expect((await held(one)).generation).toBe(before);
  });

  it('go with a group whose rules were about them', async () => {
    const actor = inOwnRegion(await newMember());
    await newNetwork(actor);
    const ctx = contextOf(actor);
    const made = await net(actor, 'POST', '/security-groups', { security_groups: [{ name: 'web' }, { name: 'db' }] });
    const [web, database] = made.body.security_groups;
    await net(actor, 'POST', '/security-group-rules', {
      security_group_rule: { security_group_id: database.id, direction: 'ingress', remote_group_id: web.id },
    });
    const runnerId = await runnerRow();
    const a = await boot(ctx, runnerId, { groups: ['web', 'db'] });
    expect((await held(runnerId)).kinds('group-member')).toEqual([`${web.id}:${a.portIds[0]}`]);
    await net(actor, 'PUT', `/ports/${a.portIds[0]}`, { port: { security_groups: [database.id] } });
    expect((await held(runnerId)).kinds('security-group')).toEqual([database.id]);
    expect((await held(runnerId)).kinds('group-member')).toEqual([]);
    expect((await net(actor, 'DELETE', `/security-groups/${web.id}`)).status).toBe(204);
    const rules = (await held(runnerId)).live.get(`security-group ${database.id}`)?.rules as {
      remote_group_id: unknown;
    }[];
    expect(rules.map((rule) => rule.remote_group_id)).toEqual([null, null]);
  });

  it('follow their addresses', async () => {
    const actor = inOwnRegion(await newMember());
    // No port takes by chance what another is given.
    await newNetwork(actor, { subnet: { allocation_pools: [{ start: '10.20.0.2', end: '10.20.0.99' }] } });
    const ctx = contextOf(actor);
    const [one, two] = [await runnerRow(), await runnerRow()];
    const a = await boot(ctx, one);
    await boot(ctx, two);
    const path = `/ports/${a.portIds[0]}`;
    const [groupId] = (await port(actor, a.portIds[0])).security_groups;
    await net(actor, 'PUT', path, { port: { fixed_ips: [{ ip_address: '10.20.0.200' }] } });
    const spec = (await held(two)).live.get(`group-member ${groupId}:${a.portIds[0]}`);
    expect(spec?.addresses).toEqual(['10.20.0.200']);
  });
});
