import { afterAll, beforeAll, expect, it } from 'vitest';
import { gatewayMac } from '../../runner/network/names.ts';
import { icmp, ip, udp } from './frames.ts';
import { JoinedHosts, WORLD } from './joined-hosts.ts';
import { eventually } from './namespaces.ts';
import { arrived, type Said, type Speaker, v4, v6 } from './said.ts';
import { groupOf, networkOf, ruleOf, withIpv6 } from './specs.ts';

/*
 * The intranet filter, where somebody else's rules translate what guests send: judged as it was sent, as it is routed and as
 * it comes to the machine, by either version. Only one of these sees each of the packets here as closed.
 */

const PREFIXES = ['10.0.0.0/8', 'fd10::/16'];
/** Where they lead: of the world, of the intranet, and of the machine in the intranet. */
const ENDS = {
  4: { open: WORLD, closed: '10.200.0.1', machine: '10.200.0.2' },
  6: { open: 'fd99::1', closed: 'fd10::1', machine: 'fd10::2' },
};
/** What guests send to: a closed address that leads to an open one, and open ones that lead to closed ones. */
const SENT = {
  4: { toOpen: '10.99.0.1', toClosed: '203.0.113.99', toMachine: '203.0.113.98' },
  6: { toOpen: 'fd10::99', toClosed: 'fd99::99', toMachine: 'fd99::98' },
};

type Guest = Speaker & { ip6: string };
let joined: JoinedHosts;
let a: Guest;
let b: Guest;
let gateway: { mac: string };
let world: Speaker;

const filter = (prefixes = PREFIXES) => joined.applyEverywhere('intranet', 'filter', { dry_run: false, prefixes });

beforeAll(async () => {
  joined = await JoinedHosts.open('aeitrn', 1);
  await joined.outside.sh(`sysctl -qw net.ipv6.conf.cable.disable_ipv6=0
    ip addr add 10.200.0.1/24 dev cable; for a in fd10::1 fd99::1; do ip addr add $a/64 dev cable nodad; done`);
  await joined.host(0).namespace.sh(`ip addr add 10.200.0.2/24 dev up0
    for a in fd10::2 fd99::2; do ip addr add $a/64 dev up0 nodad; done
    nft 'table ip theirs { chain pre { type nat hook prerouting priority -101; dnat to ip daddr map { ${leads(4)} }; }; }'
    nft 'table ip6 theirs { chain pre { type nat hook prerouting priority -101; dnat to ip6 daddr map { ${leads(6)} }; }; }'`);
  const net = withIpv6(networkOf('172.30.0.0/24'), 'fd30::/64', { enable_dhcp: false });
  const open = groupOf(ruleOf(), ruleOf({ ethertype: 'IPv6' }));
  await joined.applyEverywhere('security-group', open.id, open);
  await joined.applyEverywhere('network', net.id, net);
  const guest = async (offset: number): Promise<Guest> => {
    const { namespace, port, address: ip4, ip6 } = await joined.dualGuest(0, net, offset, [open.id]);
    return { namespace, mac: port.mac_address, ip4, ip6 };
  };
  [a, b] = [await guest(11), await guest(12)];
  gateway = { mac: gatewayMac(net.id) };
  world = { namespace: joined.outside, device: 'cable', mac: gateway.mac, ip4: WORLD };
  // Found before frames are sent, or the first one would wait for it and come last.
  for (const { open: there, closed } of Object.values(ENDS))
    for (const end of [there, closed]) await joined.host(0).namespace.sh(`busybox ping -c1 -W30 ${end}`);
  await filter();
});
afterAll(() => joined.close());

const leads = (version: 4 | 6) => {
  const [sent, ends] = [SENT[version], ENDS[version]];
  return `${sent.toOpen} : ${ends.open}, ${sent.toClosed} : ${ends.closed}, ${sent.toMachine} : ${ends.machine}`;
};
const datagram = (version: 4 | 6, to: string) => (word: Buffer) =>
  (version === 4 ? v4 : v6)(a, gateway, ip(version === 4 ? a.ip4 : a.ip6, to, 17, udp(7, 7, word)));
/** The answer has its word. */
const ping = (version: 4 | 6, to: string) => (word: Buffer) => {
  const data = Buffer.concat([Buffer.from([0, 1, 0, 1]), word]);
  return version === 4
    ? v4(a, gateway, ip(a.ip4, to, 1, icmp(8, 0, data)))
    : v6(a, gateway, ip(a.ip6, to, 58, icmp(128, 0, data)));
};

it('closes what is sent to the closed, or goes there, by whatever way, and nothing where nothing is closed', async () => {
  const out: Said = {
    'sent there': datagram(4, SENT[4].toOpen),
    'sent there by IPv6': datagram(6, SENT[6].toOpen),
    'led there': datagram(4, SENT[4].toClosed),
    'led there by IPv6': datagram(6, SENT[6].toClosed),
  };
  const toMachine: Said = {
    'led to the machine': ping(4, SENT[4].toMachine),
    'led to the machine by IPv6': ping(6, SENT[6].toMachine),
  };
  expect(await arrived(a, world, out)).toEqual([]);
  expect(await arrived(a, a, toMachine, b)).toEqual([]);
  await filter([]);
  expect(await arrived(a, world, out)).toEqual(Object.keys(out));
  // The machine answers when it has time.
  await eventually('both answers', async () => (await arrived(a, a, toMachine, b)).length === 2);
  await filter();
});
