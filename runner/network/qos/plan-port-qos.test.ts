import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { QosSpec } from '../../../shared/specs/network.ts';
import { id, portOf, qosOf } from '../../testing/specs.ts';
import { changeScript, fullScript } from '../firewall/ruleset.ts';
import { Inventory } from '../inventory.ts';
import { Names } from '../names.ts';
import { planPortQos } from './plan-port-qos.ts';

const names = new Names('ae1234');
const [a, b] = [names.tap(id(2)), names.tap(id(3))];
let folder: string;
let inventory: Inventory;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aeroqos-'));
  inventory = await Inventory.open(folder);
});
afterEach(() => rm(folder, { recursive: true }));

const put = (number: number, qos: Partial<QosSpec> | null) =>
  inventory.put('port', id(number), portOf(number, 1, { qos: qos && qosOf(qos) }));
const ruleset = () => [{ family: 'bridge' as const, name: 'ae', ...planPortQos(names, inventory) }];

it('adds nothing where no port is limited', async () => {
  await put(2, null);
  await put(3, { ingress_kbps: 2 ** 31 - 1 });
  expect(planPortQos(names, inventory)).toEqual({ sets: new Map(), chains: new Map() });
});

it('gives ports of one rate a chain, and each of them a bucket', async () => {
  await put(2, { egress_kbps: 2_000 });
  await put(3, { egress_kbps: 2_000, ingress_kbps: 8, ingress_burst_kbits: 800 });
  const lines = fullScript(ruleset()).split('\n');
  expect(lines.filter((line) => /^add .*(_rates|_limit|egress-|ingress-|over_)/.test(line))).toEqual([
    'add map bridge ae egress_rates { type ifname : verdict; }',
    'add set bridge ae egress-250000-0 { type ifname; limit rate over 250000 bytes/second burst 0 bytes; }',
    'add map bridge ae ingress_rates { type ifname : verdict; }',
    'add set bridge ae ingress-1000-99000 { type ifname; limit rate over 1000 bytes/second burst 99000 bytes; }',
    'add chain bridge ae over_egress',
    'add chain bridge ae over_ingress',
    'add chain bridge ae egress-250000-0',
    'add chain bridge ae egress_limit { type filter hook prerouting priority -295; policy accept; }',
    'add chain bridge ae ingress-1000-99000',
    'add chain bridge ae ingress_limit { type filter hook postrouting priority 210; policy accept; }',
    'add rule bridge ae over_egress ether type arp meta length <= 128 return',
    'add rule bridge ae over_egress icmpv6 type { 133, 135, 136 } meta length <= 128 return',
    'add rule bridge ae over_egress udp sport . udp dport { 68 . 67, 546 . 547 } meta length <= 576 return',
    'add rule bridge ae over_egress drop',
    'add rule bridge ae over_ingress ether type arp meta length <= 128 return',
    'add rule bridge ae over_ingress icmpv6 type { 135, 136 } meta length <= 128 return',
    'add rule bridge ae over_ingress icmpv6 type 134 meta length <= 576 return',
    'add rule bridge ae over_ingress udp sport . udp dport { 67 . 68, 547 . 546 } meta length <= 576 return',
    'add rule bridge ae over_ingress drop',
    'add rule bridge ae egress-250000-0 iifname @egress-250000-0 goto over_egress',
    'add rule bridge ae egress_limit iifname vmap @egress_rates',
    'add rule bridge ae ingress-1000-99000 oifname @ingress-1000-99000 goto over_ingress',
    'add rule bridge ae ingress_limit oifname vmap @ingress_rates',
    `add element bridge ae egress_rates { "${a}" : goto egress-250000-0, "${b}" : goto egress-250000-0 }`,
    `add element bridge ae egress-250000-0 { "${a}", "${b}" }`,
    `add element bridge ae ingress_rates { "${b}" : goto ingress-1000-99000 }`,
    `add element bridge ae ingress-1000-99000 { "${b}" }`,
  ]);
});

it('leads a port whose rate changes to another bucket, and takes the old one away', async () => {
  await put(2, { egress_kbps: 2_000 });
  const before = ruleset();
  await put(2, { egress_kbps: 1_000 });
  expect(changeScript(before, ruleset()).trim().split('\n')).toEqual([
    'add set bridge ae egress-125000-0 { type ifname; limit rate over 125000 bytes/second burst 0 bytes; }',
    'add chain bridge ae egress-125000-0',
    'add rule bridge ae egress-125000-0 iifname @egress-125000-0 goto over_egress',
    `delete element bridge ae egress_rates { "${a}" : goto egress-250000-0 }`,
    `add element bridge ae egress_rates { "${a}" : goto egress-125000-0 }`,
    `add element bridge ae egress-125000-0 { "${a}" }`,
    'flush chain bridge ae egress-250000-0',
    'delete set bridge ae egress-250000-0',
    'delete chain bridge ae egress-250000-0',
  ]);
});

it('gives what a port sends its mark, also one of zero', async () => {
  await put(2, { dscp_mark: 46 });
  await put(3, { dscp_mark: 0 });
  const lines = fullScript(ruleset()).split('\n');
  expect(lines.filter((line) => /^add (?!table)/.test(line))).toEqual([
    'add map bridge ae dscp_marks { type ifname : verdict; }',
    'add chain bridge ae dscp-46',
    'add chain bridge ae dscp-0',
    'add chain bridge ae dscp_marking { type filter hook prerouting priority -294; policy accept; }',
    'add rule bridge ae dscp-46 ip dscp set 46',
    'add rule bridge ae dscp-46 ip6 dscp set 46',
    'add rule bridge ae dscp-0 ip dscp set 0',
    'add rule bridge ae dscp-0 ip6 dscp set 0',
    'add rule bridge ae dscp_marking iifname vmap @dscp_marks',
    `add element bridge ae dscp_marks { "${a}" : goto dscp-46, "${b}" : goto dscp-0 }`,
  ]);
});
