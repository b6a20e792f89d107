import { expect, it } from 'vitest';
import { id, networkOf, portOf, serverOf } from '../../testing/specs.ts';
import { type MetadataSubject, metadataAnswer } from './answer.ts';
import { networkData } from './network-data.ts';

const server = serverOf(1);
const subject: MetadataSubject = {
  metadata: {
    ...server.metadata,
    meta: { role: 'web' },
    public_keys: { mine: 'ssh-ed25519 AAAA' },
    vendor_data: { from: 'us' },
    user_data: Buffer.from('#!/bin/sh\n\0binary').toString('base64'),
  },
  networkData: { links: [] },
  devices: [],
  randomSeed: 'c2VlZA==',
  imageId: id(0xffff),
  fixedIpv4: '10.0.0.5',
  floatingIpv4: '203.0.113.7',
};
const text = (path: string, of = subject) => metadataAnswer(path, of)?.body.toString() ?? null;
const json = (path: string) => JSON.parse(text(path) ?? 'null');

it('says what Nova says, by version', () => {
  expect(text('/openstack')).toBe(
    '2012-08-10\n2013-04-04\n2013-10-17\n2015-10-15\n2016-06-30\n2016-10-06\n2017-02-22\n2018-08-27\n2020-10-14\nlatest',
  );
  expect(text('/openstack/latest/')).toBe(
    'meta_data.json\nuser_data\nvendor_data.json\nvendor_data2.json\nnetwork_data.json\npassword',
  );
  expect(json('/openstack/latest/meta_data.json')).toEqual({
    uuid: server.id,
    meta: { role: 'web' },
    public_keys: { mine: 'ssh-ed25519 AAAA' },
    keys: [{ name: 'mine', type: 'ssh', data: 'ssh-ed25519 AAAA' }],
    hostname: 'server-1',
    name: 'server-1',
    launch_index: 0,
    availability_zone: 'nova',
    random_seed: 'c2VlZA==',
    project_id: 'p',
    devices: [],
    dedicated_cpus: [],
  });
  expect(Object.keys(json('/openstack/2012-08-10/meta_data.json'))).not.toContain('random_seed');
  expect(text('/openstack/2013-04-04/')).toBe('meta_data.json\nuser_data\npassword');
  expect(json('/openstack/latest/vendor_data2.json')).toEqual({ static: { from: 'us' } });
  expect(metadataAnswer('/openstack/latest/user_data', subject)?.body).toEqual(Buffer.from('#!/bin/sh\n\0binary'));
});

it('hands out files, and the names of interfaces', () => {
  const files = [{ path: '/etc/motd', contents: Buffer.from('hello').toString('base64') }];
  const of = {
    ...subject,
    metadata: { ...subject.metadata, files },
    devices: [{ mac: 'fa:16:3e:00:00:01', tag: 'inside' }],
  };
  expect(JSON.parse(text('/openstack/latest/meta_data.json', of) ?? '')).toMatchObject({
    files: [{ path: '/etc/motd', content_path: '/content/0000' }],
    devices: [{ type: 'nic', bus: 'pci', mac: 'fa:16:3e:00:00:01', tags: ['inside'] }],
  });
  expect(text('/openstack/content/0000', of)).toBe('hello');
  expect(text('/openstack/content/0001', of)).toBeNull();
});

it('says what EC2 says', () => {
  expect(text('/')).toContain('2009-04-04\nlatest');
  expect(text('/latest')).toBe('meta-data/\nuser-data');
  expect(text('/latest/meta-data/')).toContain('placement/\n');
  expect(text('/2009-04-04/meta-data/instance-id')).toMatch(/^i-[0-9a-f]{8}$/);
  expect(text('/latest/meta-data/local-ipv4')).toBe('10.0.0.5');
  expect(text('/1.0/meta-data/public-keys/')).toBe('0=mine');
  expect(text('/latest/meta-data/public-keys/0/openssh-key')).toBe('ssh-ed25519 AAAA');
  expect(text('/latest/meta-data/placement/availability-zone')).toBe('nova');
  expect(metadataAnswer('/latest/user-data', subject)?.type).toBe('application/octet-stream');
});

it('knows nothing else', () => {
  const plain = { ...subject, metadata: { ...server.metadata } };
  for (const path of [
    '/openstack/2099-01-01/meta_data.json',
    '/openstack/latest/nothing',
    '/latest/meta-data/constructor',
    '/latest/meta-data/instance-id/more',
    '/latest/nothing',
    '/2001-01-01/meta-data',
    '/etc/passwd',
  ]) {
    expect(text(path), path).toBe(null);
  }
  expect(text('/latest/user-data', plain)).toBe(null);
  expect(text('/openstack/latest/user_data', plain)).toBe(null);
  expect(text('/latest', plain)).toBe('meta-data/');
  expect(text('/latest/meta-data/public-keys', plain)).toBe(null);
});

it('describes interfaces as Nova does', () => {
  const subnets = [
    {
      id: id(20),
      ip_version: 4 as const,
      cidr: '10.0.0.0/24',
      gateway_ip: '10.0.0.1',
      enable_dhcp: false,
      dns_nameservers: ['192.0.2.1'],
      host_routes: [{ destination: '172.16.0.0/12', nexthop: '10.0.0.9' }],
      ipv6_ra_mode: null,
      ipv6_address_mode: null,
    },
  ];
  const port = portOf(3, 2, { fixed_ips: [{ subnet_id: id(20), ip_address: '10.0.0.5' }], mtu: 1450 });
  const network = { ...networkOf(2), subnets };
  expect(networkData([{ port, network }])).toEqual({
    links: [
      { id: 'tap00000000-00', vif_id: id(3), type: 'bridge', mtu: 1450, ethernet_mac_address: 'fa:16:3e:00:00:03' },
    ],
    networks: [
      {
        id: 'network0',
        link: 'tap00000000-00',
        network_id: id(2),
        type: 'ipv4',
        ip_address: '10.0.0.5',
        netmask: '255.255.255.0',
        routes: [
          { network: '172.16.0.0', netmask: '255.240.0.0', gateway: '10.0.0.9' },
          { network: '0.0.0.0', netmask: '0.0.0.0', gateway: '10.0.0.1' },
        ],
        services: [{ type: 'dns', address: '192.0.2.1' }],
      },
    ],
    services: [{ type: 'dns', address: '192.0.2.1' }],
  });
  const leased = { ...network, subnets: subnets.map((subnet) => ({ ...subnet, enable_dhcp: true })) };
  expect(networkData([{ port, network: leased }]).networks).toEqual([
    { id: 'network0', link: 'tap00000000-00', network_id: id(2), type: 'ipv4_dhcp' },
  ]);
  const fixed_ips = [{ subnet_id: id(20), ip_address: '2001:db8::5' }];
  const typeOf = (mode: 'slaac' | 'dhcpv6-stateful' | null) => {
    const changed = {
      ip_version: 6 as const,
      cidr: '2001:db8::/64',
      gateway_ip: '2001:db8::1',
      ipv6_address_mode: mode,
    };
    const ofSix = subnets.map((one) => ({ ...one, host_routes: [], enable_dhcp: true, ...changed }));
    return networkData([{ port: { ...port, fixed_ips }, network: { ...network, subnets: ofSix } }]).networks;
  };
  expect(typeOf(null)).toMatchObject([{ type: 'ipv6_dhcp' }]);
  expect(typeOf('slaac')).toMatchObject([{ type: 'ipv6_slaac', ip_address: '2001:db8::5' }]);
  expect(typeOf('dhcpv6-stateful')).toMatchObject([{ type: 'ipv6_dhcpv6-stateful' }]);
});
