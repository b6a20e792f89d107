import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { qosOf } from '../../runner/testing/specs.ts';
import type { NetworkSpec, QosSpec } from '../../shared/specs/network.ts';
import { countDatagrams, expectFree, expectLimited, FLOOD_PORT, KBPS, measure } from './floods.ts';
import { arp, BROADCAST, ETHERTYPES, ethernet, ip, sendFrames, udp } from './frames.ts';
import { type CheapGuest, JoinedHosts } from './joined-hosts.ts';
import { eventually } from './namespaces.ts';
import { arrived, nd, type Said, type Speaker, v4, v6 } from './said.ts';
import { groupOf, networkOf, ruleOf, withIpv6 } from './specs.ts';

/* What ports may send and receive by the policies of QoS. */

const BYTES_PER_S = (KBPS * 1_000) / 8;
/** A bucket that fills by one datagram of a flood in more than a test's time. */
const DRIPPING = 1;

let joined: JoinedHosts;
let net: NetworkSpec;
let open: string;
beforeAll(async () => {
  joined = await JoinedHosts.open('aeqosp', 1);
  net = withIpv6(networkOf('10.1.0.0/24'), 'fd00:1::/64');
  const group = groupOf(ruleOf(), ruleOf({ ethertype: 'IPv6' }));
  open = group.id;
  await joined.applyEverywhere('security-group', group.id, group);
  await joined.applyEverywhere('network', net.id, net);
});
afterAll(() => joined.close());

let offset = 10;
const guest = (qos: Partial<QosSpec> = {}) => joined.dualGuest(0, net, ++offset, [open], { qos: qosOf(qos) });
const govern = ({ host, port }: CheapGuest, qos: Partial<QosSpec> | null) =>
  host.machine.apply('port', port.id, { ...port, qos: qos && qosOf(qos) });
const speaker = ({ namespace, port, address }: CheapGuest): Speaker => ({
  namespace,
  mac: port.mac_address,
  ip4: address,
});

const floods = (to: CheapGuest, ...from: CheapGuest[]) =>
  measure(
    to.namespace,
    ...from.map(({ namespace, address }) => ({ from: namespace, to: to.address, seenAs: address })),
  );

describe('a limit', () => {
  it('of what is sent holds for each port by itself, and for no other, until it is changed or taken away', async () => {
    const [a, b, free, to] = [
      await guest({ egress_kbps: KBPS }),
      await guest({ egress_kbps: KBPS }),
      await guest(),
      await guest(),
    ];
    const first = await floods(to, a, b, free);
    expectLimited(first.bytes[0], first.s);
    expectLimited(first.bytes[1], first.s);
    expect((first.bytes[0] ?? 0) + (first.bytes[1] ?? 0)).toBeGreaterThan(BYTES_PER_S * (first.s + 1));
    expectFree(first.bytes[2]);
    await govern(a, { egress_kbps: KBPS / 4 });
    await govern(b, null);
    const second = await floods(to, a, b);
    expectLimited(second.bytes[0], second.s, KBPS / 4);
    expectFree(second.bytes[1]);
    await govern(a, null);
    const rules = `nft list table bridge aeqosp | grep -c -e _limit -e rates -e over_`;
    expect(await joined.host(0).namespace.does(rules)).toBe(false);
  });

  it('of what is received holds for all senders together, and not for what the port sends', async () => {
    const [a, b, to] = [await guest(), await guest(), await guest({ ingress_kbps: KBPS })];
    const { bytes, s } = await floods(to, a, b);
    expectLimited((bytes[0] ?? 0) + (bytes[1] ?? 0), s);
    expectFree((await floods(a, to)).bytes[0]);
  });

  it('lets TCP get on, of which machines hand on many segments as one', async () => {
    const [slow, to] = [await guest({ egress_kbps: 256 }), await guest()];
    const count = await countDatagrams(to.namespace, slow.address);
    // One packet until it is on a cable, by the socket option UDP_SEGMENT.
    await slow.namespace.sh(`/usr/bin/python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_UDP, 103, 1400)
s.sendto(bytes(44 * 1400), ('${to.address}', ${FLOOD_PORT}))"`);
    await eventually('the segments', async () => ((await count())[0] ?? 0) > 44 * 1_400);
    const script = `require('node:http').createServer((q, r) => r.end(Buffer.alloc(200_000)))
      .listen(80, () => console.log('listening'))`;
    const server = slow.namespace.start(process.execPath, '-e', script);
    await new Promise((resolve) => server.stdout?.once('data', resolve));
    expect(await to.namespace.sh(`curl -sS -m 50 ${slow.address} | wc -c`)).toBe('200000\n');
  });

  it('leaves a port that sends too much its address and its neighbors', async () => {
    const [a, to, honest] = [await guest({ egress_kbps: DRIPPING }), await guest(), await guest()];
    const [from, ear] = [speaker(a), speaker(to)];
    const say = (sourcePort: number, port: number, length: number) => (word: Buffer) =>
      v4(from, ear, ip(from.ip4, ear.ip4, 17, udp(sourcePort, port, Buffer.concat([word, Buffer.alloc(length)]))));
    const much = [1_400, 1].map((length) => Array<Buffer>(100).fill(say(1, 2, length)(Buffer.alloc(0))));
    await sendFrames(from.namespace, much.flat());
    const question = arp(1, [from.mac, from.ip4], ['00:00:00:00:00:00', ear.ip4]);
    const answer = udp(546, 547, Buffer.alloc(250));
    const kinds: Record<string, (word: Buffer) => Buffer> = {
      arp: (word) => ethernet(BROADCAST, from.mac, ETHERTYPES.arp, Buffer.concat([question, word])),
      neighbor: (word) => v6(from, ear, ip(a.ip6, to.ip6, 58, nd(135, to.ip6, word))),
      lease: say(68, 67, 250),
      lease6: (word) => v6(from, ear, ip(a.ip6, to.ip6, 17, Buffer.concat([answer.subarray(0, -6), word]))),
      data: say(1, 2, 1_300),
      asLease: say(68, 67, 1_300),
    };
    // So many that they are more than drips in between.
    const many = { arp: 30, neighbor: 15, lease: 8, lease6: 8, data: 1, asLease: 1 };
    const numbered = Object.entries(many).flatMap(([kind, count]) =>
      Array.from({ length: count }, (_, number) => [`${kind} ${number}`, kinds[kind]] as const),
    );
    const heard = await arrived(from, ear, Object.fromEntries(numbered) as Said, speaker(honest));
    const spared = numbered.map(([name]) => name).filter((name) => !/data|asLease/.test(name));
    expect(heard).toEqual(spared);
  });
});

describe('a mark', () => {
  /** The marks of what a guest sends, itself marked with 8, as another one sees them after its kernel found nothing wrong. */
  async function seen(from: CheapGuest & { ip6: string }, to: CheapGuest & { ip6: string }): Promise<string[]> {
    const pings = { ip: 'icmp type echo-request', ip6: 'icmpv6 type echo-request' };
    const rules = Object.entries(pings).flatMap(([version, ping]) =>
      [0, 8, 46].map((mark) => `${ping} ${version} dscp ${mark} counter comment "${version} ${mark}"`),
    );
    await to.namespace.sh(`nft -f - <<'SCRIPT'
      table inet marks
      delete table inet marks
      table inet marks { chain in { type filter hook input priority 0; ${rules.join('; ')}; }; }\nSCRIPT`);
    await from.namespace.sh(`ping -c1 -W5 -Q 0x20 ${to.address}; ping -c1 -W5 -Q 0x20 ${to.ip6}`);
    const text = await to.namespace.sh('nft list table inet marks');
    return [...text.matchAll(/packets [1-9].*comment "(.*)"/g)].map(([, comment]) => comment ?? '');
  }

  it('is on what the port sends, and the guest`s own without one', async () => {
    const [from, to] = [await guest({ dscp_mark: 46 }), await guest()];
    expect(await seen(from, to)).toEqual(['ip 46', 'ip6 46']);
    await govern(from, { dscp_mark: 0 });
    expect(await seen(from, to)).toEqual(['ip 0', 'ip6 0']);
    await govern(from, { egress_kbps: KBPS });
    expect(await seen(from, to)).toEqual(['ip 8', 'ip6 8']);
  });
});
