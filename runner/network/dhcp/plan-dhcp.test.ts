import { expect, it } from 'vitest';
import type { NetworkSpec } from '../../../shared/specs/network.ts';
import { id, networkOf, portOf } from '../../testing/specs.ts';
import { planDhcp } from './plan-dhcp.ts';

const at = { bridge: 'aenet0bdeadbeef', folder: '/run/x', own: ['10.0.0.1', '2001:db8::1'] };
const subnet: NetworkSpec['subnets'][number] = {
  id: id(10),
  ip_version: 4,
  cidr: '10.0.0.0/22',
  gateway_ip: '10.0.0.1',
  enable_dhcp: true,
  dns_nameservers: ['192.0.2.1', '2001:db8::53', '192.0.2.2'],
  host_routes: [{ destination: '172.16.0.0/12', nexthop: '10.0.0.9' }],
  ipv6_ra_mode: null,
  ipv6_address_mode: null,
};
const ipv6: NetworkSpec['subnets'][number] = {
  ...subnet,
  id: id(11),
  ip_version: 6,
  cidr: '2001:db8::/64',
  gateway_ip: '2001:db8::1',
  host_routes: [],
  ipv6_ra_mode: null,
  ipv6_address_mode: null,
};

it('serves fixed addresses with the subnet’s options', () => {
  const network = { ...networkOf(1), mtu: 1450, subnets: [subnet] };
  const port = portOf(2, 1, {
    hostname: 'web',
    fixed_ips: [
      { subnet_id: id(10), ip_address: '10.0.1.5' },
      { subnet_id: id(10), ip_address: '10.0.1.6' },
      { subnet_id: id(99), ip_address: '10.9.9.9' },
    ],
  });
  const plan = planDhcp(network, [port, portOf(3, 1)], at);
  expect(plan?.config).toContain('interface=aenet0bdeadbeef\n');
  expect(plan?.config).toContain('bind-interfaces\n');
  expect(plan?.config).toContain('dhcp-range=set:subnet0,10.0.0.0,static,255.255.252.0,86400s\n');
  expect(plan?.config).not.toContain('enable-ra');
  expect(plan?.hosts).toBe('fa:16:3e:00:00:02,10.0.1.5,web\n');
  expect(plan?.options).toBe(
    [
      'tag:subnet0,option:router,10.0.0.1',
      'tag:subnet0,option:classless-static-route,172.16.0.0/12,10.0.0.9,169.254.169.254/32,10.0.0.1,0.0.0.0/0,10.0.0.1',
      'tag:subnet0,option:dns-server,192.0.2.1,192.0.2.2',
      'option:mtu,1450\n',
    ].join('\n'),
  );
});

it('hands out no name that the daemon would take for something else', () => {
  const fixed_ips = [{ subnet_id: id(10), ip_address: '10.0.1.5' }];
  for (const hostname of ['ignore', 'infinite', '10', '12h']) {
    const plan = planDhcp({ ...networkOf(1), subnets: [subnet] }, [portOf(2, 1, { hostname, fixed_ips })], at);
    expect(plan?.hosts).toBe('fa:16:3e:00:00:02,10.0.1.5\n');
  }
});

it('sends no router where there is no gateway', () => {
  const plan = planDhcp(
    {
      ...networkOf(1),
      subnets: [{ ...subnet, gateway_ip: null, host_routes: [], ipv6_ra_mode: null, ipv6_address_mode: null }],
    },
    [],
    at,
  );
  expect(plan?.config).toContain('shared-network=aenet0bdeadbeef,10.0.0.0\n');
  expect(plan?.options).toContain('tag:subnet0,option:router\n');
  expect(plan?.options).toContain('option:classless-static-route,169.254.169.254/32,0.0.0.0\n');
});

it('serves IPv6 with router advertisements', () => {
  const port = portOf(2, 1, { fixed_ips: [{ subnet_id: id(11), ip_address: '2001:db8::5' }], hostname: 'web' });
  const plan = planDhcp({ ...networkOf(1), subnets: [subnet, ipv6] }, [port], at);
  expect(plan?.config).toContain('enable-ra\n');
  expect(plan?.config).toContain('dhcp-range=set:subnet1,2001:db8::,static,64,86400s\n');
  expect(plan?.hosts).toBe('fa:16:3e:00:00:02,[2001:db8::5],web\n');
  expect(plan?.options).toContain('tag:subnet1,option6:dns-server,[2001:db8::53]\n');
});

it('advertises routers, and leases or not, as a subnet says, and only where it is the router', () => {
  const fixed_ips = [{ subnet_id: id(11), ip_address: '2001:db8::5' }];
  const planOf = (mode: typeof ipv6.ipv6_ra_mode, own = at.own) => {
    const subnets = [{ ...ipv6, ipv6_ra_mode: mode, ipv6_address_mode: mode }];
    return planDhcp({ ...networkOf(1), subnets }, [portOf(2, 1, { fixed_ips, hostname: null })], { ...at, own });
  };
  const range = (mode: string) => `dhcp-range=set:subnet0,2001:db8::,${mode},64,86400s\n`;
  expect(planOf('slaac')).toMatchObject({ config: expect.stringContaining(range('ra-only')), hosts: '' });
  expect(planOf('dhcpv6-stateless')).toMatchObject({
    config: expect.stringContaining(range('ra-stateless')),
    hosts: '',
  });
  const byRouterAlone = [{ ...ipv6, ipv6_ra_mode: 'slaac' as const }];
  const unsaid = planDhcp({ ...networkOf(1), subnets: byRouterAlone }, [portOf(2, 1, { fixed_ips })], at);
  expect(unsaid).toMatchObject({ config: expect.stringContaining(range('ra-only')), hosts: '' });
  const stateful = planOf('dhcpv6-stateful');
  expect(stateful?.config).toContain(range('static'));
  expect(stateful?.config).toContain('enable-ra\n');
  expect(stateful?.hosts).toBe('fa:16:3e:00:00:02,[2001:db8::5]\n');
  for (const mode of ['slaac', 'dhcpv6-stateful'] as const)
    expect(planOf(mode, [])?.config).not.toMatch(/enable-ra|ra-/);
});

it('gives a port the options that it has of its own', () => {
  const fixed_ips = [{ subnet_id: id(10), ip_address: '10.0.1.5' }];
  const extra_dhcp_opts = [
    { name: 'bootfile-name', value: 'a.img', ip_version: 4 as const },
    { name: '150', value: '192.0.2.9', ip_version: 4 as const },
    { name: 'domain-search', value: 'example.com', ip_version: 6 as const },
  ];
  const port = portOf(2, 1, { fixed_ips, hostname: 'web', extra_dhcp_opts });
  const plan = planDhcp({ ...networkOf(1), subnets: [subnet] }, [port], at);
  expect(plan?.hosts).toBe(`fa:16:3e:00:00:02,set:port-${port.id},10.0.1.5,web\n`);
  expect(plan?.options.split('\n').slice(0, 3)).toEqual([
    `tag:port-${port.id},option:bootfile-name,a.img`,
    `tag:port-${port.id},150,192.0.2.9`,
    `tag:port-${port.id},option6:domain-search,example.com`,
  ]);
});

it('is nothing where no subnet has DHCP', () => {
  expect(planDhcp({ ...networkOf(1), subnets: [{ ...subnet, enable_dhcp: false }] }, [], at)).toBe(null);
  expect(planDhcp(networkOf(1), [], at)).toBe(null);
});
