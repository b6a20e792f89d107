import { describe, expect, it } from 'vitest';
import { call } from '../../test/edge-client.ts';
import { net, newMember, newNetwork, unlimited } from '../../test/edge-network.ts';

describe('limits', () => {
  it('a bulk create is of so many, a body of so many bytes, and JSON', async () => {
    const member = await newMember();
    const many = await net(member, 'POST', '/networks', { networks: Array(201).fill({}) });
    expect([many.status, many.body.NeutronError.type]).toEqual([400, 'HTTPBadRequest']);
    const large = await net(member, 'POST', '/networks', { network: { name: 'x'.repeat(1_100_000) } });
    expect([large.status, large.body.NeutronError.type]).toEqual([413, 'HTTPRequestEntityTooLarge']);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await net(member, 'POST', '/networks', { network: {} }, form)).status).toBe(415);
    const broken = await call('POST', '/networking/v2.0/networks', { token: member.token });
    expect(broken.status).toBe(400);
  });

  it('a list is cut where nobody names a limit, and says where it goes on', async () => {
    const member = await newMember();
    await unlimited(member);
    for (let made = 0; made < 6; made++) {
      await net(member, 'POST', '/networks', { networks: Array(200).fill({}) });
    }
    const mine = `/networks?project_id=${member.projectId}`;
    const first = await net(member, 'GET', mine);
    expect(first.body.networks).toHaveLength(1000);
    const next = first.body.networks_links.find((link: { rel: string }) => link.rel === 'next');
    const rest = await net(member, 'GET', next.href.slice(next.href.indexOf('/networks?')));
    expect(rest.body.networks).toHaveLength(200);
    const ids = [...first.body.networks, ...rest.body.networks].map((one: { id: string }) => one.id);
    expect(new Set(ids).size).toBe(1200);
  });

  it('a group has so many rules, a network so many subnets', async () => {
    const member = await newMember();
    await unlimited(member);
    const { body } = await net(member, 'POST', '/security-groups', { security_group: {} });
    const security_group_id = body.security_group.id;
    const rules = (from: number, count: number) => ({
      security_group_rules: Array.from({ length: count }, (_, index) => ({
        security_group_id,
        direction: 'ingress',
        protocol: 'tcp',
        port_range_min: from + index,
        port_range_max: from + index,
      })),
    });
    for (const from of [1, 201, 401, 601]) {
      expect((await net(member, 'POST', '/security-group-rules', rules(from, 200))).status).toBe(201);
    }
    const over = await net(member, 'POST', '/security-group-rules', rules(801, 199));
    expect([over.status, over.body.NeutronError.type]).toEqual([409, 'OverQuota']);
    expect((await net(member, 'POST', '/security-group-rules', rules(801, 198))).status).toBe(201);
    const { networkId: network_id } = await newNetwork(member);
    const subnets = (count: number) => ({
      subnets: Array.from({ length: count }, (_, index) => ({
        network_id,
        ip_version: 4,
        cidr: `10.99.${index}.0/24`,
      })),
    });
    const full = await net(member, 'POST', '/subnets', subnets(64));
    expect([full.status, full.body.NeutronError.type]).toEqual([409, 'OverQuota']);
    expect((await net(member, 'POST', '/subnets', subnets(63))).status).toBe(201);
  });
});
