import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { QosSpec } from '../../../shared/specs/network.ts';
import { id, networkOf, qosOf } from '../../testing/specs.ts';
import { fullScript } from '../firewall/ruleset.ts';
import { Inventory } from '../inventory.ts';
import { planFloatingQos } from './plan-floating-qos.ts';

const [OUTSIDE, INSIDE, ROUTER] = [id(1), id(2), id(3)];
let folder: string;
let inventory: Inventory;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aerofloat-'));
  inventory = await Inventory.open(folder);
  await inventory.put('network', OUTSIDE, { ...networkOf(1), external: true });
  const gateway_ip = '10.0.0.1';
  const subnet = { id: id(4), ip_version: 4 as const, cidr: '10.0.0.0/24', gateway_ip, enable_dhcp: false };
  const plain = { dns_nameservers: [], host_routes: [], ipv6_ra_mode: null, ipv6_address_mode: null };
  await inventory.put('network', INSIDE, { ...networkOf(2), subnets: [{ ...subnet, ...plain }] });
  await inventory.put('router', ROUTER, {
    id: ROUTER,
    admin_state_up: true,
    interfaces: [{ network_id: INSIDE, subnet_id: id(4), ip_address: gateway_ip }],
    routes: [],
    gateway: { network_id: OUTSIDE, enable_snat: true, snat_ip: null, next_hops: [] },
  });
});
afterEach(() => rm(folder, { recursive: true }));

const inner = { external_network_id: OUTSIDE, router_id: ROUTER, network_id: INSIDE, port_id: id(9) };
const float = (number: number, qos: QosSpec | null) =>
  inventory.put('floating-ip', id(number), {
    ...inner,
    id: id(number),
    floating_ip_address: `203.0.113.${number}`,
    fixed_ip_address: `10.0.0.${number}`,
    qos,
  });
const forward = (number: number, holder: boolean) =>
  inventory.put('port-forwarding', id(number), {
    ...inner,
    id: id(number),
    floating_ip_id: id(99),
    floating_ip_address: '203.0.113.99',
    protocol: 'tcp',
    external_ports: [number, number],
    internal_ports: [80, 80],
    mac_address: 'fa:16:3e:00:00:09',
    internal_ip_address: '10.0.0.9',
    holder,
    holder_tunnel_ip: null,
    qos: qosOf({ egress_kbps: 8_000 }),
  });
const elements = () =>
  fullScript([{ family: 'inet', name: 'ae', ...planFloatingQos(inventory) }])
    .split('\n')
    .filter((line) => line.startsWith('add element'));

it('adds nothing where no floating IP is limited, nor where another machine holds it', async () => {
  await float(20, null);
  await float(21, qosOf({ dscp_mark: 46 }));
  await forward(22, false);
  expect(planFloatingQos(inventory)).toEqual({ sets: new Map(), chains: new Map() });
});

it('limits floating IPs by their addresses, and those of forwarded ports once', async () => {
  await float(20, qosOf({ ingress_kbps: 8_000 }));
  await forward(22, true);
  await forward(23, true);
  expect(elements()).toEqual([
    'add element inet ae floating_egress_rates { 203.0.113.99 : goto floating_egress-1000000-0 }',
    'add element inet ae floating_egress-1000000-0 { 203.0.113.99 }',
    'add element inet ae floating_ingress_rates { 203.0.113.20 : goto floating_ingress-1000000-0 }',
    'add element inet ae floating_ingress-1000000-0 { 203.0.113.20 }',
  ]);
});
