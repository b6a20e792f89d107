import { afterAll, beforeAll, expect, it } from 'vitest';
import { gatewayMac, METADATA_ADDRESS, Names } from '../../runner/network/names.ts';
import type { NetworkSpec, PortSpec } from '../../shared/specs/network.ts';
import { addressBytes, arp, BROADCAST, ETHERTYPES, ethernet, hearFrames, icmp, ip, sendFrames, udp } from './frames.ts';
import { JoinedHosts, WORLD } from './joined-hosts.ts';
import { eventually, Namespace } from './namespaces.ts';
import {
  arrived,
  nd,
  redirect,
  routerAdvertisement,
  routerSolicitation,
  type Said,
  type Speaker,
  v4,
  v6,
} from './said.ts';
import { groupOf, networkOf, ruleOf, withIpv6 } from './specs.ts';

/* Who else is on the cable of a flat network is neither its gateway nor its DHCP server, nor a guest of this machine. */

const MARK = 'aecabs';
const GATEWAY4 = '10.20.0.1';
const GATEWAY6 = 'fd20::1';
const ALL = { mac: BROADCAST };

let joined: JoinedHosts;
let net: NetworkSpec;
let guest: Speaker & { ip6: string };
let free: Speaker & { ip6: string };
let stranger: Speaker & { ip6: string };
let ports = 5000;
let gateway: { mac: string };

beforeAll(async () => {
  joined = await JoinedHosts.open(MARK, 1);
  const plain = networkOf('10.20.0.0/24', { segment: { type: 'flat', physical_network: 'cables' }, mtu: 1500 });
  net = withIpv6(plain, 'fd20::/64', { ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' });
  gateway = { mac: gatewayMac(net.id) };
  const open = groupOf(ruleOf(), ruleOf({ ethertype: 'IPv6' }));
  await joined.applyEverywhere('security-group', open.id, open);
  await joined.applyEverywhere('network', net.id, net);
  const made = async (offset: number, change: Partial<PortSpec>) => {
    const { namespace, port, address: ip4, ip6 } = await joined.dualGuest(0, net, offset, [], change);
    return { namespace, mac: port.mac_address, ip4, ip6 };
  };
  guest = await made(11, { security_groups: [open.id] });
  free = await made(12, { port_security_enabled: false });
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

const asks = (from: Speaker, address: string, target: string, word: Buffer) =>
  ethernet(
    BROADCAST,
    from.mac,
    ETHERTYPES.arp,
    Buffer.concat([arp(1, [from.mac, address], [BROADCAST, target]), word]),
  );

/** What on each machine is said by that machine alone, or to it. */
const ownOnly = (from: typeof guest, to: typeof guest): Said => ({
  'ARP of the gateway': (word) => asks(from, GATEWAY4, to.ip4, word),
  'ARP of the metadata': (word) => asks(from, METADATA_ADDRESS, to.ip4, word),
  'ARP for the gateway': (word) => asks(from, from.ip4, GATEWAY4, word),
  'advertisement of the gateway': (word) => v6(from, to, ip(from.ip6, to.ip6, 58, nd(136, GATEWAY6, word))),
  'solicitation for the gateway': (word) => v6(from, to, ip(from.ip6, to.ip6, 58, nd(135, GATEWAY6, word))),
  'router solicitation': (word) => v6(from, to, ip(from.ip6, to.ip6, 58, routerSolicitation(word))),
  'router advertisement': (word) => v6(from, to, ip('fe80::99', to.ip6, 58, routerAdvertisement(word))),
  redirect: (word) => v6(from, to, ip('fe80::99', to.ip6, 58, redirect(word))),
  'DHCP answer': (word) => v4(from, to, ip(from.ip4, to.ip4, 17, udp(67, 68, word))),
  'DHCPv6 answer': (word) => v6(from, to, ip(from.ip6, to.ip6, 17, udp(547, 546, word))),
  'DHCP question': (word) => v4(from, ALL, ip('0.0.0.0', '255.255.255.255', 17, udp(68, 67, word))),
  'DHCPv6 question': (word) => v6(from, to, ip(from.ip6, to.ip6, 17, udp(546, 547, word))),
});
const honest = (from: typeof guest, to: typeof guest): Said => ({
  datagram: (word) => v4(from, to, ip(from.ip4, to.ip4, 17, udp(7, 7, word))),
  'datagram of IPv6': (word) => v6(from, to, ip(from.ip6, to.ip6, 17, udp(7, 7, word))),
  ARP: (word) => asks(from, from.ip4, to.ip4, word),
  advertisement: (word) => v6(from, to, ip(from.ip6, to.ip6, 58, nd(136, from.ip6, word))),
});

it('passes for no gateway, router or DHCP server, nor hears of those of this machine', async () => {
  for (const [from, to] of [
    [stranger, guest],
    [free, stranger],
  ] as const) {
    expect(await arrived(from, to, honest(from, to))).toEqual(Object.keys(honest(from, to)));
    expect(await arrived(from, to, ownOnly(from, to))).toEqual([]);
  }
});

it('leaves by this machine no more than it is taken for one of its guests', async () => {
  const port = ports++;
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
  const bridge = new Names(MARK).bridge(net.id);
  const known = () => namespace.sh(`ip neigh show ${guest.ip4} dev ${bridge}`);
  // Else the kernel takes no other hardware address within a second, and so no lie.
  await namespace.sh(`sysctl -qw net.ipv4.neigh.${bridge}.locktime=0`);
  await guest.namespace.sh(`busybox ping -c1 -W30 ${GATEWAY4}`);
  await eventually('the guest', async () => (await known()).includes(guest.mac));
  await sendFrames(stranger.namespace, [asks(stranger, guest.ip4, GATEWAY4, Buffer.from('lie'))]);
  await sendFrames(stranger.namespace, [
    v4(stranger, guest, ip(stranger.ip4, guest.ip4, 17, udp(7, 7, Buffer.alloc(4)))),
  ]);
  expect(await known()).toContain(guest.mac);
});

it('is not answered by the gateway, even where it is heard', async () => {
  const { namespace } = joined.host(0);
  const chain = `bridge ${MARK} from_segments`;
  const listed = await namespace.sh(`nft list chain ${chain}`);
  const load = (rules: string) => namespace.sh(`nft -f - <<'RULES'\nflush chain ${chain}\n${rules}\nRULES`);
  await load(listed.replace(/.* drop$/gm, ''));
  const ear = await hearFrames(stranger.namespace);
  const from = Buffer.from(`0101${stranger.mac.replaceAll(':', '')}`, 'hex');
  const solicitation = (target: string) =>
    ip(stranger.ip6, target, 58, icmp(135, 0, Buffer.concat([Buffer.alloc(4), addressBytes(target), from])));
  await sendFrames(stranger.namespace, [
    asks(stranger, stranger.ip4, GATEWAY4, Buffer.alloc(0)),
    v6(stranger, gateway, solicitation(GATEWAY6)),
    asks(stranger, stranger.ip4, guest.ip4, Buffer.alloc(0)),
    v6(stranger, guest, solicitation(guest.ip6)),
  ]);
  const heardOf = (mac: string) =>
    ear.heard.filter((frame) => frame.subarray(6, 12).toString('hex') === mac.replaceAll(':', ''));
  await eventually('the answers of the guest', async () => heardOf(guest.mac).length >= 2);
  ear.stop();
  await load(listed);
  expect(heardOf(gateway.mac)).toEqual([]);
});
