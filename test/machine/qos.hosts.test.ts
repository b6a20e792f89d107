import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rateOf } from '../../runner/network/qos/rate.ts';
import { qosOf } from '../../runner/testing/specs.ts';
import type { NetworkSpec, QosSpec } from '../../shared/specs/network.ts';
import { countFloods, FLOOD_BYTES, FLOOD_S, flood } from './floods.ts';
import { arp, BROADCAST, ETHERTYPES, ethernet, ip, sendFrames, udp } from './frames.ts';
import { type CheapGuest, JoinedHosts } from './joined-hosts.ts';
import { arrived, nd, type Said, type Speaker, v4, v6 } from './said.ts';
import { groupOf, networkOf, ruleOf, withIpv6 } from './specs.ts';

/* What ports may send and receive by the policies of QoS. */

const KBPS = 2_000;
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

/** Floods from each sender to an address of one guest at once; answers the bytes that came of each, and the time it took. */
async function floods(to: CheapGuest, ...from: CheapGuest[]): Promise<{ bytes: number[]; s: number }> {
  const heard = await countFloods(to.namespace, ...from.map((one) => one.address));
  const began = performance.now();
  await Promise.all(from.map((one) => flood(one.namespace, to.address)));
  const s = (performance.now() - began) / 1_000;
  return { bytes: await heard(), s };
}

/** Whether a flood came as it should through a bucket that was full, or may have been. */
function expectLimited(bytes: number | undefined, kbps: number, s: number): void {
  const { bytesPerSecond, burstBytes } = rateOf(kbps, null) ?? { bytesPerSecond: 0, burstBytes: 0 };
  expect(bytes).toBeLessThanOrEqual(bytesPerSecond * (s + 1) + burstBytes);
  expect(bytes).toBeGreaterThanOrEqual(0.6 * bytesPerSecond * FLOOD_S);
}
const expectFree = (bytes: number | undefined) => expect(bytes).toBeGreaterThan(0.95 * FLOOD_BYTES);

describe('a limit', () => {
  it('of what is sent holds for each port by itself, and for no other, until it is changed or taken away', async () => {
    const [a, b, free, to] = [
      await guest({ egress_kbps: KBPS }),
      await guest({ egress_kbps: KBPS }),
      await guest(),
      await guest(),
    ];
    const first = await floods(to, a, b, free);
    expectLimited(first.bytes[0], KBPS, first.s);
    expectLimited(first.bytes[1], KBPS, first.s);
    expectFree(first.bytes[2]);
    await govern(a, { egress_kbps: KBPS / 4 });
    await govern(b, null);
    const second = await floods(to, a, b);
    expectLimited(second.bytes[0], KBPS / 4, second.s);
    expectFree(second.bytes[1]);
    await govern(a, null);
    const rules = `nft list table bridge aeqosp | grep -c -e limit_ -e rates -e over_rate`;
    expect(await joined.host(0).namespace.does(rules)).toBe(false);
  });

  it('of what is received holds for all senders together, and not for what the port sends', async () => {
    const [a, b, to] = [await guest(), await guest(), await guest({ ingress_kbps: KBPS })];
    const { bytes, s } = await floods(to, a, b);
    expectLimited((bytes[0] ?? 0) + (bytes[1] ?? 0), KBPS, s);
    expectFree((await floods(a, to)).bytes[0]);
  });

  it('lets TCP get on, also where one packet is as much as the rate of seconds', async () => {
    const [slow, client] = [await guest({ egress_kbps: 256 }), await guest()];
    const script = `require('node:http').createServer((q, r) => r.end(Buffer.alloc(200_000)))
      .listen(80, () => console.log('listening'))`;
    const server = slow.namespace.start(process.execPath, '-e', script);
    await new Promise((resolve) => server.stdout?.once('data', resolve));
    expect(await client.namespace.sh(`curl -sS -m 50 ${slow.address} | wc -c`)).toBe('200000\n');
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
