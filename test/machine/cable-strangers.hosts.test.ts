import { afterAll, beforeAll, expect, it } from 'vitest';
import { gatewayMac, METADATA_ADDRESS, Names } from '../../runner/network/names.ts';
import type { NetworkSpec } from '../../shared/specs/network.ts';
import { arp, BROADCAST, ETHERTYPES, ethernet, hearFrames, ip, sendFrames, udp } from './frames.ts';
import { JoinedHosts, WORLD } from './joined-hosts.ts';
import { eventually, Namespace } from './namespaces.ts';
import { arrived, nd, redirect, routerAdvertisement, type Said, type Speaker, v4, v6 } from './said.ts';
import { groupOf, networkOf, ruleOf } from './specs.ts';

/* Who else is on the cable of a flat network is neither its gateway nor its DHCP server, nor a guest of this machine. */

const MARK = 'aecabs';
const GATEWAY4 = '10.20.0.1';
const GATEWAY6 = 'fd20::1';
const ALL = { mac: BROADCAST };

let joined: JoinedHosts;
let net: NetworkSpec;
let guest: Speaker & { ip6: string };
let stranger: Speaker & { ip6: string };
let gateway: { mac: string };

beforeAll(async () => {
  joined = await JoinedHosts.open(MARK, 1);
  const plain = networkOf('10.20.0.0/24', { segment: { type: 'flat', physical_network: 'cables' }, mtu: 1500 });
  const [subnet] = plain.subnets;
  if (!subnet) throw new Error('no subnet');
  const subnet6 = {
    ...subnet,
    id: crypto.randomUUID(),
    ip_version: 6 as const,
    cidr: 'fd20::/64',
    gateway_ip: GATEWAY6,
  };
  net = { ...plain, subnets: [subnet, { ...subnet6, ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' }] };
  gateway = { mac: gatewayMac(net.id) };
  const open = groupOf(ruleOf(), ruleOf({ ethertype: 'IPv6' }));
  await joined.applyEverywhere('security-group', open.id, open);
  await joined.applyEverywhere('network', net.id, net);
  const fixed_ips = [
    { subnet_id: subnet.id, ip_address: '10.20.0.11' },
    { subnet_id: subnet6.id, ip_address: 'fd20::11' },
  ];
  const { namespace, port } = await joined.guest(0, net, 11, [open.id], { fixed_ips });
  guest = { namespace, mac: port.mac_address, ip4: '10.20.0.11', ip6: 'fd20::11' };
  await namespace.sh('ip addr add fd20::11/64 dev eth0 nodad');
  const mac = '02:00:00:00:00:99';
  const beside = await Namespace.make();
  stranger = { namespace: beside, mac, ip4: '10.20.0.99', ip6: 'fd20::99' };
  await joined.cables.sh(
    `ip link add beside type veth peer name eth0 netns ${beside.name}; ip link set beside master cable up`,
  );
  await beside.sh(`ip link set eth0 address ${mac} up`);
});
afterAll(async () => {
  await joined.close();
  await stranger.namespace.close();
});

const claim = (address: string, target: string, word: Buffer) =>
  ethernet(
    BROADCAST,
    stranger.mac,
    ETHERTYPES.arp,
    Buffer.concat([arp(1, [stranger.mac, address], [BROADCAST, target]), word]),
  );

it('passes for no gateway, router or DHCP server', async () => {
  const honest: Said = {
    datagram: (word) => v4(stranger, guest, ip(stranger.ip4, guest.ip4, 17, udp(7, 7, word))),
    'datagram of IPv6': (word) => v6(stranger, guest, ip(stranger.ip6, guest.ip6, 17, udp(7, 7, word))),
    ARP: (word) => claim(stranger.ip4, guest.ip4, word),
    advertisement: (word) => v6(stranger, guest, ip(stranger.ip6, guest.ip6, 58, nd(136, stranger.ip6, word))),
  };
  expect(await arrived(stranger, guest, honest)).toEqual(Object.keys(honest));
  const lies: Said = {
    'ARP of the gateway': (word) => claim(GATEWAY4, guest.ip4, word),
    'ARP of the metadata': (word) => claim(METADATA_ADDRESS, guest.ip4, word),
    'ARP for the gateway': (word) => claim(stranger.ip4, GATEWAY4, word),
    'advertisement of the gateway': (word) =>
      v6(stranger, guest, ip(stranger.ip6, guest.ip6, 58, nd(136, GATEWAY6, word))),
    'solicitation for the gateway': (word) =>
      v6(stranger, guest, ip(stranger.ip6, guest.ip6, 58, nd(135, GATEWAY6, word))),
    'router advertisement': (word) => v6(stranger, guest, ip('fe80::99', guest.ip6, 58, routerAdvertisement(word))),
    redirect: (word) => v6(stranger, guest, ip('fe80::99', guest.ip6, 58, redirect(word))),
    'DHCP answer': (word) => v4(stranger, guest, ip(stranger.ip4, guest.ip4, 17, udp(67, 68, word))),
    'DHCPv6 answer': (word) => v6(stranger, guest, ip(stranger.ip6, guest.ip6, 17, udp(547, 546, word))),
    'DHCP question': (word) => v4(stranger, ALL, ip('0.0.0.0', '255.255.255.255', 17, udp(68, 67, word))),
    'DHCPv6 question': (word) => v6(stranger, guest, ip(stranger.ip6, guest.ip6, 17, udp(546, 547, word))),
  };
  expect(await arrived(stranger, guest, lies)).toEqual([]);
});

it('leaves by this machine no more than it is taken for one of its guests', async () => {
  const port = 5000;
  const listener = await joined.outside.listenUdp(port);
  const out = (from: string, word: string) => ip(from, WORLD, 17, udp(port, port, Buffer.from(`${word} `)));
  await sendFrames(stranger.namespace, [
    v4(stranger, gateway, out(stranger.ip4, 'stranger')),
    v4(stranger, gateway, out(guest.ip4, 'forged')),
  ]);
  await sendFrames(guest.namespace, [v4(guest, gateway, out(guest.ip4, 'guest'))]);
  await eventually('the guest', async () => listener.heard().includes('guest'));
  expect(listener.heard().replace('listening\n', '')).toBe('guest ');
});

it('does not tell this machine where its guests are, by asking its gateway', async () => {
  const { namespace } = joined.host(0);
  const known = () => namespace.sh(`ip neigh show ${guest.ip4} dev ${new Names(MARK).bridge(net.id)}`);
  await guest.namespace.sh(`busybox ping -c1 -W30 ${GATEWAY4}`);
  await eventually('the guest', async () => (await known()).includes(guest.mac));
  // The kernel takes no other hardware address within a second.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await sendFrames(stranger.namespace, [claim(guest.ip4, GATEWAY4, Buffer.from('lie'))]);
  await sendFrames(stranger.namespace, [
    v4(stranger, guest, ip(stranger.ip4, guest.ip4, 17, udp(7, 7, Buffer.alloc(4)))),
  ]);
  expect(await known()).toContain(guest.mac);
});

it('is answered neither by the gateway nor by its DHCP server', async () => {
  const ear = await hearFrames(stranger.namespace);
  const discover = Buffer.alloc(300);
  discover.set([1, 1, 6, 0, 1, 2, 3, 4]);
  Buffer.from(guest.mac.replaceAll(':', ''), 'hex').copy(discover, 28);
  discover.set([0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255], 236);
  await sendFrames(stranger.namespace, [
    claim(stranger.ip4, GATEWAY4, Buffer.alloc(0)),
    v4(stranger, ALL, ip('0.0.0.0', '255.255.255.255', 17, udp(68, 67, discover))),
    v6(stranger, { mac: '33:33:00:00:00:02' }, ip('fe80::99', 'ff02::2', 58, Buffer.from([133, 0, 0, 0, 0, 0, 0, 0]))),
    claim(stranger.ip4, guest.ip4, Buffer.alloc(0)),
  ]);
  const answers = () => ear.heard.filter((frame) => frame.readUInt16BE(12) === ETHERTYPES.arp);
  await eventually('the answer of the guest', async () => answers().length > 0);
  ear.stop();
  expect(answers()).toHaveLength(1);
  expect(ear.heard.filter((frame) => frame.includes(Buffer.from(gateway.mac.replaceAll(':', ''), 'hex')))).toEqual([]);
});
