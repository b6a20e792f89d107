import { afterAll, beforeAll, expect, it } from 'vitest';
import { gatewayMac, Names } from '../../runner/network/names.ts';
import type { NetworkSpec, PortSpec } from '../../shared/specs/network.ts';
import { arp, BROADCAST, ETHERTYPES, ethernet, hearFrames, ip, sendFrames, udp } from './frames.ts';
import { JoinedHosts } from './joined-hosts.ts';
import { eventually, fakeGuest } from './namespaces.ts';
import { arrived, nd, redirect, routerAdvertisement, type Said, type Speaker, v4, v6 } from './said.ts';
import { groupOf, networkOf, portOf, ruleOf } from './specs.ts';

/* What a guest must not say, at a receiver that nothing guards: only the sender's own rules stand in the way. */

const MARK = 'aeanyb';
const names = new Names(MARK);
const FORGED = { mac: '02:00:00:00:00:77' };
const ALL = { mac: BROADCAST };

type Guest = Speaker & { ip6: string };
let joined: JoinedHosts;
let net: NetworkSpec;
let a: Guest;
let b: Guest;
let free: Guest;
const open = groupOf(ruleOf(), ruleOf({ ethertype: 'IPv6' }));

beforeAll(async () => {
  joined = await JoinedHosts.open(MARK, 1);
  const plain = networkOf('10.1.0.0/24');
  const [subnet] = plain.subnets;
  if (!subnet) throw new Error('no subnet');
  // Nobody but guests says anything.
  const v6 = { ...subnet, id: crypto.randomUUID(), ip_version: 6 as const, cidr: 'fd01::/64', gateway_ip: null };
  net = { ...plain, subnets: [subnet, v6].map((one) => ({ ...one, enable_dhcp: false })) };
  await joined.applyEverywhere('network', net.id, net);
  await joined.applyEverywhere('security-group', open.id, open);
  a = await guest(11);
  b = await guest(12);
  free = await guest(13, { port_security_enabled: false, security_groups: [] });
});
afterAll(() => joined.close());

async function guest(offset: number, change: Partial<PortSpec> = {}): Promise<Guest> {
  const ip6 = `fd01::${offset}`;
  const fixed_ips = [
    { subnet_id: net.subnets[0]?.id ?? '', ip_address: `10.1.0.${offset}` },
    { subnet_id: net.subnets[1]?.id ?? '', ip_address: ip6 },
  ];
  const { namespace, port, address } = await joined.guest(0, net, offset, [open.id], { fixed_ips, ...change });
  return { namespace, mac: port.mac_address, ip4: address, ip6 };
}

const question = (from: Guest, word: Buffer) =>
  Buffer.concat([arp(1, [from.mac, from.ip4], ['00:00:00:00:00:00', free.ip4]), word]);
const dhcpQuestion = (word: Buffer) => ip('0.0.0.0', '255.255.255.255', 17, udp(68, 67, word));
const duplicateDetection = (word: Buffer) => ip('::', free.ip6, 58, nd(135, free.ip6, word));

it('holds back frames of another hardware address and of no protocol of guests', async () => {
  const honest: Said = {
    ARP: (word) => ethernet(free.mac, a.mac, ETHERTYPES.arp, question(a, word)),
    'DHCP question': (word) => v4(a, ALL, dhcpQuestion(word)),
    'search for the same address': (word) => v6(a, free, duplicateDetection(word)),
  };
  expect(await arrived(a, free, honest)).toEqual(Object.keys(honest));
  const lies: Said = {
    ARP: (word) => ethernet(free.mac, FORGED.mac, ETHERTYPES.arp, question(a, word)),
    'DHCP question': (word) => v4(FORGED, ALL, dhcpQuestion(word)),
    'search for the same address': (word) => v6(FORGED, free, duplicateDetection(word)),
    'ARP of another kind of hardware': (word) => {
      const frame = ethernet(free.mac, a.mac, ETHERTYPES.arp, question(a, word));
      frame.writeUInt16BE(6, 14);
      return frame;
    },
    LLDP: (word) => ethernet(free.mac, a.mac, ETHERTYPES.lldp, word),
    'unknown type': (word) => ethernet(free.mac, a.mac, 0x88b5, word),
    'router advertisement': (word) => v6(a, free, ip(a.ip6, free.ip6, 58, routerAdvertisement(word))),
    redirect: (word) => v6(a, free, ip(a.ip6, free.ip6, 58, redirect(word))),
  };
  expect(await arrived(a, free, lies)).toEqual([]);
});

it('lets nobody be a DHCP server, not even of who asks it', async () => {
  const questions: Said = {
    DHCP: (word) => v4(b, a, ip(b.ip4, a.ip4, 17, udp(68, 67, word))),
    DHCPv6: (word) => v6(b, a, ip(b.ip6, a.ip6, 17, udp(546, 547, word))),
  };
  expect(await arrived(b, a, questions)).toEqual(Object.keys(questions));
  const answers: Said = {
    DHCP: (word) => v4(a, b, ip(a.ip4, b.ip4, 17, udp(67, 68, word))),
    DHCPv6: (word) => v6(a, b, ip(a.ip6, b.ip6, 17, udp(547, 546, word))),
  };
  expect(await arrived(a, b, answers)).toEqual([]);
});

it('takes nothing from a tap that is no port’s, and gives it nothing, until it is one', async () => {
  const port = portOf(net, 66, { port_security_enabled: false });
  const namespace = await fakeGuest(joined.host(0).namespace, MARK, port);
  const stray: Guest = { namespace, mac: port.mac_address, ip4: '10.1.0.66', ip6: '' };
  await joined.host(0).namespace.sh(`ip link set ${names.tap(port.id)} master ${names.bridge(net.id)} up`);
  const said: Said = {
    ARP: (word) => ethernet(free.mac, stray.mac, ETHERTYPES.arp, question(stray, word)),
    datagram: (word) => v4(stray, free, ip(stray.ip4, free.ip4, 17, udp(7, 7, word))),
    'unknown type': (word) => ethernet(free.mac, stray.mac, 0x88b5, word),
  };
  expect(await arrived(stray, free, said, a)).toEqual([]);
  const ear = await hearFrames(namespace);
  const toAll = (word: string) => ethernet(BROADCAST, free.mac, ETHERTYPES.arp, question(free, Buffer.from(word)));
  await sendFrames(free.namespace, [toAll('closed')]);
  await joined.host(0).machine.apply('port', port.id, port);
  expect(await arrived(stray, free, said)).toEqual(Object.keys(said));
  await sendFrames(free.namespace, [toAll('opened')]);
  await eventually('what all hear', async () => ear.heard.some((frame) => frame.includes('opened')));
  expect(ear.heard.filter((frame) => frame.includes('closed'))).toEqual([]);
  ear.stop();
  await namespace.close();
});

it('takes no frames away from whom they are for, by another one’s hardware address', async () => {
  const gateway = { mac: gatewayMac(net.id) };
  const to = (at: Guest) => (word: Buffer) => v4(b, a, ip(b.ip4, at.ip4, 17, udp(7, 7, word)));
  expect(await arrived(b, a, { before: to(a) })).toEqual(['before']);
  for (const of of [a, gateway])
    await sendFrames(free.namespace, [v4(of, b, ip(a.ip4, b.ip4, 17, udp(7, 7, Buffer.alloc(4))))]);
  expect(await arrived(b, a, { after: to(a) }, free)).toEqual(['after']);
  expect(await arrived(b, free, { after: to(a) })).toEqual([]);
  expect(await a.namespace.does('ip neigh flush all; busybox ping -c1 -W30 10.1.0.1')).toBe(true);
});
