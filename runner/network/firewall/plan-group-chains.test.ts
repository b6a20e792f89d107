import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { SecurityGroupSpec } from '../../../shared/specs/network.ts';
import { id, memberOf, portOf } from '../../testing/specs.ts';
import { Inventory } from '../inventory.ts';
import { chainOfGroups, planGroupChains } from './plan-group-chains.ts';
import { mergeRanges } from './plan-group-matches.ts';

type Rule = SecurityGroupSpec['rules'][number];
let folder: string;
let inventory: Inventory;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aerogroups-'));
  inventory = await Inventory.open(folder);
});
afterEach(() => rm(folder, { recursive: true }));

const rule = (change: Partial<Rule>): Rule => ({
  id: id(0xaaaa),
  direction: 'ingress',
  ethertype: 'IPv4',
  protocol: null,
  port_range_min: null,
  port_range_max: null,
  remote_ip_prefix: null,
  remote_group_id: null,
  remote_address_group_id: null,
  ...change,
});

async function chainOf(kind: 'ingress-group' | 'ingress-answers' | 'egress-answers', rules: Rule[]) {
  await inventory.put('security-group', id(1), { id: id(1), stateful: true, rules });
  await inventory.put('port', id(2), portOf(2, 9, { security_groups: [id(1)] }));
  return planGroupChains(inventory).chains.get(`${kind}-${id(1)}`)?.rules;
}
const rulesOf = (...rules: Rule[]) => chainOf('ingress-group', rules);

it('writes each kind of rule', async () => {
  expect(await rulesOf(rule({}))).toEqual(['meta nfproto ipv4 accept']);
  expect(await rulesOf(rule({ protocol: 6 }))).toEqual(['meta nfproto ipv4 meta l4proto 6 accept']);
  expect(await rulesOf(rule({ protocol: 1, port_range_min: 8 }))).toEqual([
    'meta nfproto ipv4 meta l4proto 1 icmp type 8 accept',
  ]);
  expect(await rulesOf(rule({ protocol: 1, port_range_min: 3, port_range_max: 4 }))).toEqual([
    'meta nfproto ipv4 meta l4proto 1 icmp type 3 icmp code 4 accept',
  ]);
  expect(await rulesOf(rule({ ethertype: 'IPv6', protocol: 1, port_range_min: 128 }))).toEqual([
    'meta nfproto ipv6 meta l4proto 58 icmpv6 type 128 accept',
  ]);
  expect(
    await rulesOf(rule({ protocol: 17, port_range_min: 53, port_range_max: 53, remote_ip_prefix: '10.1.2.3/8' })),
  ).toEqual(['meta nfproto ipv4 ip saddr { 10.0.0.0-10.255.255.255 } meta l4proto 17 th dport { 53 } accept']);
  expect(await rulesOf(rule({ remote_ip_prefix: '0.0.0.0/0', protocol: 112 }))).toEqual([
    'meta nfproto ipv4 meta l4proto 112 accept',
  ]);
  expect(await rulesOf(rule({ direction: 'egress' }))).toEqual([]);
});

it('gathers the ports of rules that differ in nothing else', async () => {
  const tcp = (low: number, high: number) => rule({ protocol: 6, port_range_min: low, port_range_max: high });
  expect(await rulesOf(tcp(80, 80), tcp(22, 22), tcp(81, 90), tcp(85, 100), tcp(22, 22))).toEqual([
    'meta nfproto ipv4 meta l4proto 6 th dport { 22, 80-100 } accept',
  ]);
  expect(
    mergeRanges([
      [0, 65535],
      [3, 4],
    ]),
  ).toEqual(['0-65535']);
});

it('gathers the prefixes of rules that differ in nothing else, and leaves one that is for all', async () => {
  const from = (remote_ip_prefix: string | null, port: number) =>
    rule({ protocol: 6, port_range_min: port, port_range_max: port, remote_ip_prefix });
  expect(await rulesOf(from('10.0.0.0/9', 22), from('10.128.0.0/9', 22), from('192.0.2.1/32', 22))).toEqual([
    'meta nfproto ipv4 ip saddr { 10.0.0.0-10.255.255.255, 192.0.2.1 } meta l4proto 6 th dport { 22 } accept',
  ]);
  expect(await rulesOf(from('10.0.0.0/8', 22), from('10.0.0.0/8', 23), from(null, 22))).toEqual([
    'meta nfproto ipv4 ip saddr { 10.0.0.0-10.255.255.255 } meta l4proto 6 th dport { 22-23 } accept',
    'meta nfproto ipv4 meta l4proto 6 th dport { 22 } accept',
  ]);
});

it('judges answers by what their question said', async () => {
  const rules = [
    rule({ protocol: 6, port_range_min: 22, port_range_max: 22, remote_ip_prefix: '192.0.2.0/24' }),
    rule({ protocol: 1, port_range_min: 8 }),
    rule({ protocol: 1, port_range_min: 3, port_range_max: 4 }),
    rule({ direction: 'egress', protocol: 17, port_range_min: 53, port_range_max: 53, remote_group_id: id(7) }),
  ];
  expect(await chainOf('ingress-answers', rules)).toEqual([
    'meta nfproto ipv4 ct protocol 1 ct original proto-dst 2048-2303 accept',
    'meta nfproto ipv4 ct protocol 1 ct original proto-dst 772 accept',
    'meta nfproto ipv4 ct reply ip daddr { 192.0.2.0-192.0.2.255 } ct protocol 6 ct reply proto-src { 22 } accept',
  ]);
  expect(await chainOf('egress-answers', rules)).toEqual([
    `meta nfproto ipv4 ct original ip daddr @members4-${id(7)} ct protocol 17 ct original proto-dst { 53 } accept`,
  ]);
});

it('names the members of remote groups in sets, of which only what changed is touched', async () => {
  await inventory.put('group-member', `${id(7)}:${id(3)}`, memberOf(7, 3));
  await inventory.put('group-member', `${id(8)}:${id(3)}`, memberOf(8, 3));
  expect(await rulesOf(rule({ remote_group_id: id(7) }))).toEqual([
    `meta nfproto ipv4 ip saddr @members4-${id(7)} accept`,
  ]);
  const { sets } = planGroupChains(inventory);
  expect([...(sets.get(`members4-${id(7)}`)?.elements.keys() ?? [])]).toEqual(['10.0.0.5']);
  // Nobody's rule names this one.
  expect(sets.has(`members4-${id(8)}`)).toBe(false);
});

it('shares a chain among ports with the same groups, in whatever order, and lets an unknown group do nothing', async () => {
  await inventory.put('security-group', id(1), { id: id(1), stateful: true, rules: [] });
  await inventory.put('port', id(2), portOf(2, 9, { security_groups: [id(1), id(5)] }));
  await inventory.put('port', id(3), portOf(3, 9, { security_groups: [id(5), id(1)] }));
  const { chains } = planGroupChains(inventory);
  expect([...chains.keys()].filter((name) => name.startsWith('ingress-ports-'))).toEqual([
    chainOfGroups('ingress', [id(5), id(1)]),
  ]);
  expect(chains.get(chainOfGroups('ingress', [id(1), id(5)]))?.rules).toEqual([
    'ct state vmap { invalid : drop, related : accept }',
    expect.stringMatching(/^ct direction reply jump ingress-replies-[0-9a-f]{16}$/),
    `jump ingress-group-${id(1)}`,
    'drop',
  ]);
});
