import { afterAll, beforeAll, expect, it } from 'vitest';
import type { NetworkSpec, PortSpec } from '../../shared/specs/network.ts';
import { arp, BROADCAST, ETHERTYPES, ethernet, hearFrames, icmp, ip, sendFrames, summed, tcp, udp } from './frames.ts';
import { MachineInNamespace, type ServeOptions, teardownIn } from './machine-in-namespace.ts';
import { configure, eventually, fakeGuest, Namespace, temporaryFolder } from './namespaces.ts';
import {
  arrived,
  behindOption,
  fragments,
  nd,
  redirect,
  routerAdvertisement,
  type Said,
  type Speaker,
  tagged,
  v4,
  v6,
} from './said.ts';
import { groupOf, networkOf, portOf, ruleOf } from './specs.ts';

/* What a guest must not say, byte by byte, at a receiver whose groups let everything in. */

const MARK = 'aelie';
const folder = temporaryFolder();
const options: ServeOptions = { stateDir: folder.path, mark: MARK, images: {} };
const guests: Namespace[] = [];
let host: Namespace;
let machine: MachineInNamespace;
let net: NetworkSpec;
let a: Guest;
let b: Guest;
let free: Guest;
let paired: Guest;

interface Guest extends Speaker {
  port: PortSpec;
  ip6: string;
}

beforeAll(async () => {
  host = await Namespace.make();
  machine = await MachineInNamespace.open(host.name, options);
  const plain = networkOf('10.1.0.0/24');
  const [subnet] = plain.subnets;
  if (!subnet) throw new Error('no subnet');
  const subnet6 = { ...subnet, ip_version: 6 as const, cidr: '2001:db8::/64', gateway_ip: '2001:db8::1' };
  net = { ...plain, subnets: [subnet, { ...subnet6, id: crypto.randomUUID(), enable_dhcp: false }] };
  await machine.apply('network', net.id, net);
  const open = groupOf(ruleOf(), ruleOf({ ethertype: 'IPv6' }));
  await machine.apply('security-group', open.id, open);
  a = await guest(11, [open.id]);
  b = await guest(12, [open.id]);
  free = await guest(13, [], { port_security_enabled: false });
  paired = await guest(14, [open.id], {
    allowed_address_pairs: [
      { ip_address: '10.1.0.200/32', mac_address: '00:00:5e:00:01:01' },
      { ip_address: '10.2.0.0/16', mac_address: '00:00:5e:00:01:02' },
      { ip_address: '2001:db8:2::/48', mac_address: '00:00:5e:00:01:02' },
    ],
  });
});

afterAll(async () => {
  await machine.close();
  await teardownIn(host.name, options);
  for (const namespace of [...guests, host]) await namespace.close();
  folder.remove();
});

async function guest(offset: number, groups: string[], change: Partial<PortSpec> = {}): Promise<Guest> {
  const [v4, v6] = net.subnets;
  const port = portOf(net, offset, { security_groups: groups, ...change });
  const ip6 = `2001:db8::${offset}`;
  port.fixed_ips = [...port.fixed_ips, { subnet_id: v6?.id ?? '', ip_address: ip6 }];
  const namespace = await fakeGuest(host, MARK, port);
  guests.push(namespace);
  await machine.apply('port', port.id, port);
  await configure(namespace, port, v4?.gateway_ip ?? '');
  return { port, namespace, mac: port.mac_address, ip4: port.fixed_ips[0]?.ip_address ?? '', ip6 };
}

const ALL_NODES = 'ff02::1';
const STRANGER4 = '10.1.0.77';
const STRANGER6 = '2001:db8::77';
const OTHER_MAC = '02:00:00:00:00:77';
const forged = { mac: OTHER_MAC };

it("lets pass what is a guest's own to say", async () => {
  const own: Said = {
    datagram: (word) => v4(a, b, ip(a.ip4, b.ip4, 17, udp(7, 7, word))),
    'datagram of IPv6': (word) => v6(a, b, ip(a.ip6, b.ip6, 17, udp(7, 7, word))),
    segment: (word) => v4(a, b, ip(a.ip4, b.ip4, 6, tcp(7, 7, 2, word))),
    ping: (word) => v4(a, b, ip(a.ip4, b.ip4, 1, icmp(8, 0, Buffer.concat([Buffer.alloc(4), word])))),
    'another protocol': (word) => v4(a, b, ip(a.ip4, b.ip4, 112, word)),
    'ARP question': (word) =>
      ethernet(b.mac, a.mac, ETHERTYPES.arp, Buffer.concat([arp(1, [a.mac, a.ip4], [OTHER_MAC, b.ip4]), word])),
    'gratuitous ARP': (word) =>
      ethernet(BROADCAST, a.mac, ETHERTYPES.arp, Buffer.concat([arp(2, [a.mac, a.ip4], [BROADCAST, a.ip4]), word])),
    advertisement: (word) => v6(a, b, ip(a.ip6, b.ip6, 58, nd(136, a.ip6, word))),
    'behind an extension header': (word) =>
      v6(a, b, ip(a.ip6, b.ip6, 60, behindOption(17, summed(a.ip6, b.ip6, 17, udp(7, 7, word))))),
  };
  expect(await arrived(a, b, own)).toEqual(Object.keys(own));
});

it('lets nothing pass that says what is not so', async () => {
  const lies: Said = {
    'source MAC': (word) => v4(forged, b, ip(a.ip4, b.ip4, 17, udp(7, 7, word))),
    "neighbour's MAC": (word) => v4(free, b, ip(a.ip4, b.ip4, 17, udp(7, 7, word))),
    'source IPv4': (word) => v4(a, b, ip(STRANGER4, b.ip4, 17, udp(7, 7, word))),
    'source IPv6': (word) => v6(a, b, ip(STRANGER6, b.ip6, 17, udp(7, 7, word))),
    'link-local source': (word) => v6(a, b, ip('fe80::77', b.ip6, 17, udp(7, 7, word))),
    'no source': (word) => v4(a, b, ip('0.0.0.0', b.ip4, 17, udp(7, 7, word))),
    'no source of IPv6': (word) => v6(a, b, ip('::', b.ip6, 17, udp(7, 7, word))),
    'ARP sender': (word) =>
      ethernet(b.mac, a.mac, ETHERTYPES.arp, Buffer.concat([arp(2, [a.mac, STRANGER4], [b.mac, b.ip4]), word])),
    'ARP sender MAC': (word) =>
      ethernet(b.mac, a.mac, ETHERTYPES.arp, Buffer.concat([arp(2, [OTHER_MAC, a.ip4], [b.mac, b.ip4]), word])),
    'gratuitous ARP for the gateway': (word) =>
      ethernet(
        BROADCAST,
        a.mac,
        ETHERTYPES.arp,
        Buffer.concat([arp(2, [a.mac, '10.1.0.1'], [BROADCAST, '10.1.0.1']), word]),
      ),
    'advertisement for another': (word) => v6(a, b, ip(a.ip6, b.ip6, 58, nd(136, STRANGER6, word))),
    solicitation: (word) => v6(a, b, ip(STRANGER6, b.ip6, 58, nd(135, b.ip6, word))),
    'router advertisement': (word) =>
      v6(a, { mac: '33:33:00:00:00:01' }, ip(a.ip6, ALL_NODES, 58, routerAdvertisement(word))),
    redirect: (word) => v6(a, b, ip(a.ip6, b.ip6, 58, redirect(word))),
    'router advertisement behind an extension header': (word) =>
      v6(a, b, ip(a.ip6, b.ip6, 60, behindOption(58, summed(a.ip6, b.ip6, 58, routerAdvertisement(word))))),
    'DHCP answer': (word) => v4(a, b, ip(a.ip4, b.ip4, 17, udp(67, 68, word))),
    'DHCPv6 answer': (word) => v6(a, b, ip(a.ip6, b.ip6, 17, udp(547, 546, word))),
    'tagged frame': (word) => tagged(ETHERTYPES.vlan, v4(a, b, ip(a.ip4, b.ip4, 17, udp(7, 7, word)))),
    'tagged lie': (word) => tagged(ETHERTYPES.vlan, v4(a, b, ip(STRANGER4, b.ip4, 17, udp(7, 7, word)))),
    'twice tagged frame': (word) =>
      tagged(ETHERTYPES.qinq, tagged(ETHERTYPES.vlan, v4(a, b, ip(a.ip4, b.ip4, 17, udp(7, 7, word))))),
    'priority tag': (word) => tagged(ETHERTYPES.vlan, v4(a, b, ip(a.ip4, b.ip4, 17, udp(7, 7, word)))).fill(0, 14, 16),
    LLDP: (word) => ethernet(b.mac, a.mac, ETHERTYPES.lldp, word),
    'spanning tree': (word) => ethernet('01:80:c2:00:00:00', a.mac, word.length, word),
    'unknown type': (word) => ethernet(b.mac, a.mac, 0x88b5, word),
    'IPv6 in a frame of IPv4': (word) => v4(a, b, ip(a.ip6, b.ip6, 17, udp(7, 7, word))),
  };
  expect(await arrived(a, b, lies)).toEqual([]);
});

it('lets no router advertisement, and nothing of a DHCP server, pass in pieces', async () => {
  // Long, so that however the pieces are cut anew, a word is whole in one of them.
  const [lie, honest] = ['lies', 'pieces'].map((word) => Buffer.from(word.repeat(50))) as [Buffer, Buffer];
  const said = (next: number, rest: Buffer, first: number) => {
    const payload = behindOption(next, summed(a.ip6, b.ip6, next, rest));
    return fragments(a.ip6, b.ip6, 60, payload, first).map((packet) => v6(a, b, packet));
  };
  const ear = await hearFrames(b.namespace);
  await sendFrames(a.namespace, [
    ...said(58, routerAdvertisement(lie), 8),
    ...said(58, routerAdvertisement(lie), 16),
    ...said(58, redirect(lie), 16),
    ...said(17, udp(547, 546, lie), 16),
  ]);
  await sendFrames(a.namespace, said(17, udp(7, 7, honest), 16));
  await eventually('an honest datagram in pieces', async () => ear.heard.some((frame) => frame.includes('pieces')));
  ear.stop();
  expect(ear.heard.filter((frame) => frame.includes('lieslies'))).toEqual([]);
});

it('lets a port have its other addresses, each with its hardware address', async () => {
  const [one, many] = ['00:00:5e:00:01:01', '00:00:5e:00:01:02'];
  const send = (mac: string, from: string) => (word: Buffer) => v4({ mac }, b, ip(from, b.ip4, 17, udp(7, 7, word)));
  const claim = (mac: string, from: string) => (word: Buffer) =>
    ethernet(b.mac, mac, ETHERTYPES.arp, Buffer.concat([arp(2, [mac, from], [b.mac, b.ip4]), word]));
  const honest: Said = {
    single: send(one, '10.1.0.200'),
    'of a range': send(many, '10.2.3.4'),
    'of a range of IPv6': (word) => v6({ mac: many }, b, ip('2001:db8:2::5', b.ip6, 17, udp(7, 7, word))),
    'by ARP': claim(one, '10.1.0.200'),
    'of a range by ARP': claim(many, '10.2.3.4'),
    'by advertisement': (word) => v6({ mac: many }, b, ip('2001:db8:2::5', b.ip6, 58, nd(136, '2001:db8:2::5', word))),
  };
  expect(await arrived(paired, b, honest)).toEqual(Object.keys(honest));
  const lies: Said = {
    "with the port's own hardware address": send(paired.mac, '10.1.0.200'),
    "with another pair's": send(many, '10.1.0.200'),
    'beyond the range': send(many, '10.3.0.1'),
    'beyond the range of IPv6': (word) => v6({ mac: many }, b, ip('2001:db8:3::5', b.ip6, 17, udp(7, 7, word))),
    'beyond the range by ARP': claim(many, '10.3.0.1'),
    'beyond the range by advertisement': (word) =>
      v6({ mac: many }, b, ip('2001:db8:2::5', b.ip6, 58, nd(136, '2001:db8:3::5', word))),
    'own address with another hardware address': send(one, paired.ip4),
  };
  expect(await arrived(paired, b, lies)).toEqual([]);
});

it('lets nothing reach a guarded port that its groups cannot judge, whoever sent it', async () => {
  const open: Said = {
    honest: (word) => v4(free, b, ip(free.ip4, b.ip4, 17, udp(7, 7, word))),
    'from any address': (word) => v4(free, b, ip(STRANGER4, b.ip4, 17, udp(7, 7, word))),
  };
  expect(await arrived(free, b, open)).toEqual(Object.keys(open));
  const unjudged: Said = {
    tagged: (word) => tagged(ETHERTYPES.vlan, v4(free, b, ip(free.ip4, b.ip4, 17, udp(7, 7, word)))),
    'twice tagged': (word) =>
      tagged(ETHERTYPES.qinq, tagged(ETHERTYPES.vlan, v4(free, b, ip(free.ip4, b.ip4, 17, udp(7, 7, word))))),
    LLDP: (word) => ethernet(b.mac, free.mac, ETHERTYPES.lldp, word),
    'unknown type': (word) => ethernet(b.mac, free.mac, 0x88b5, word),
  };
  expect(await arrived(free, b, unjudged)).toEqual([]);
});

it('sends a frame to whom it is for, and to nobody else', async () => {
  const ear = await hearFrames(b.namespace);
  const word = Buffer.from('to nobody');
  const frame = (to: string) => ethernet(to, a.mac, ETHERTYPES.ip, ip(a.ip4, b.ip4, 17, udp(7, 7, word)));
  const last = ethernet(b.mac, a.mac, ETHERTYPES.ip, ip(a.ip4, b.ip4, 17, udp(7, 7, Buffer.from('the last'))));
  await sendFrames(a.namespace, [frame(paired.mac), frame(OTHER_MAC), last]);
  await eventually('the last frame', async () => ear.heard.some((one) => one.includes('the last')));
  ear.stop();
  expect(ear.heard.filter((one) => one.includes(word))).toEqual([]);
});

it('lets no guest use up what all share', async () => {
  const many = 6_000;
  const numbers = Array.from({ length: many }, (_, index) => index);
  const ear = await hearFrames(b.namespace);
  const began = performance.now();
  await sendFrames(
    a.namespace,
    numbers.map((index) => v4(a, b, ip(a.ip4, b.ip4, 17, udp(20_000 + index, 7, Buffer.from('floods'))))),
  );
  const question = ethernet(BROADCAST, a.mac, ETHERTYPES.arp, arp(1, [a.mac, a.ip4], [OTHER_MAC, '10.1.0.9']));
  await sendFrames(
    a.namespace,
    numbers.map(() => Buffer.concat([question, Buffer.from('floods')])),
  );
  const solicitation = v6(a, b, ip(a.ip6, b.ip6, 58, nd(135, '2001:db8::9', Buffer.from('floods'))));
  await sendFrames(
    a.namespace,
    numbers.map(() => solicitation),
  );
  const elapsed_s = (performance.now() - began) / 1000;
  // Others are not hindered.
  const last = Buffer.from('the last');
  await sendFrames(paired.namespace, [v4(paired, b, ip(paired.ip4, b.ip4, 17, udp(7, 7, last)))]);
  await eventually('another guest', async () => ear.heard.some((frame) => frame.includes(last)));
  ear.stop();
  const heard = (type: number) =>
    ear.heard.filter((frame) => frame.readUInt16BE(12) === type && frame.includes('floods')).length;
  for (const [type, perSecond] of [
    [ETHERTYPES.ip, 1_000],
    [ETHERTYPES.arp, 200],
    [ETHERTYPES.ip6, 200],
  ] as const) {
    expect(heard(type)).toBeGreaterThanOrEqual(perSecond);
    expect(heard(type)).toBeLessThanOrEqual(perSecond * (1 + Math.ceil(elapsed_s)));
    expect(heard(type)).toBeLessThan(many);
  }
});
