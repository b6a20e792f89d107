import { expect, it } from 'vitest';
import { id, networkOf } from '../testing/specs.ts';
import { gatewayMac, Names } from './names.ts';
import { planBridge } from './plan-bridge.ts';

it('plans gateways, routes in a table of the network, and the metadata address', () => {
  const names = new Names('ae12');
  const subnet = {
    enable_dhcp: true,
    dns_nameservers: [],
    host_routes: [],
    ipv6_ra_mode: null,
    ipv6_address_mode: null,
  };
  const spec = {
    ...networkOf(1),
    mtu: 1450,
    subnets: [
      { ...subnet, id: id(2), ip_version: 4 as const, cidr: '10.0.0.9/22', gateway_ip: '10.0.0.1' },
      { ...subnet, id: id(3), ip_version: 6 as const, cidr: '2001:DB8::/64', gateway_ip: null },
    ],
  };
  const own = [{ subnet_id: id(2), address: '10.0.0.1', prefixLength: 22 }];
  expect(planBridge(names, spec, 5, own)).toEqual({
    name: names.bridge(id(1)),
    alias: `ae12:network:${id(1)}`,
    mac: gatewayMac(id(1)),
    mtu: 1450,
    addresses: [
      { address: '10.0.0.1', prefixLength: 22 },
      { address: '169.254.169.254', prefixLength: 32 },
    ],
    routes: [
      { cidr: '10.0.0.0/22', version: 4, source: '10.0.0.1' },
      { cidr: '2001:db8::/64', version: 6, source: null },
    ],
    local: ['10.0.0.1'],
    table: names.routingTable(5),
    mark: names.networkMark(5),
    hostAccess: false,
    metric: 5,
  });
});

it('leaves an external network a hardware address of each machine', () => {
  expect(planBridge(new Names('ae12'), { ...networkOf(1), external: true }, 5, []).mac).toBe(null);
});
