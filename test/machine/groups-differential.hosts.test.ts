import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { GroupMemberSpec, NetworkSpec, PortSpec, SecurityGroupSpec } from '../../shared/specs/network.ts';
import { arp, BROADCAST, ETHERTYPES, ethernet, hearFrames, icmp, ip, sendFrames, tcp, udp } from './frames.ts';
import { type Cloud, GroupsModel, type Packet } from './groups-model.ts';
import { MachineInNamespace, type ServeOptions, teardownIn } from './machine-in-namespace.ts';
import { eventually, fakeGuest, Namespace, temporaryFolder } from './namespaces.ts';
import { randomOf } from './random.ts';
import { networkOf, portOf, ruleOf } from './specs.ts';

/* Random groups, and packets that are sent: the model and the kernel must agree of each. SEED=n repeats a run. */

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const PACKETS = 2_000;
const CLOUDS = 10;
/** Answers that come again after each change of the rules, at most. */
const LATE = 15;
const GUESTS = 6;
const MARK = 'aedif';
const SYN = 2;
const SYN_ACK = 18;

const folder = temporaryFolder();
const options: ServeOptions = { stateDir: folder.path, mark: MARK, images: {} };
const random = randomOf(SEED);
const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
const ears: Awaited<ReturnType<typeof hearFrames>>[] = [];
let host: Namespace;
let machine: MachineInNamespace;
let guests: { port: PortSpec; namespace: Namespace }[] = [];
let generation = 1;

beforeAll(async () => {
  host = await Namespace.make();
  machine = await MachineInNamespace.open(host.name, options);
  const plain = networkOf('10.1.0.0/24');
  const subnets = plain.subnets.map((subnet) => ({ ...subnet, enable_dhcp: false }));
  const v6 = { ...subnets[0], id: randomUUID(), ip_version: 6, cidr: '2001:db8::/64', gateway_ip: '2001:db8::1' };
  const net = { ...plain, subnets: [...subnets, v6] } as NetworkSpec;
  await machine.apply('network', net.id, net);
  // A connection lasts until the rules have changed.
  for (const kind of ['udp', 'icmp', 'icmpv6', 'tcp_timeout_syn_recv', 'generic'])
    await host.sh(`sysctl -qw net.netfilter.nf_conntrack_${kind.includes('timeout') ? kind : `${kind}_timeout`}=600`);
  // One has no port security: it sends what says that the others were heard.
  for (let index = 0; index <= GUESTS; index++) {
    const port = portOf(net, 11 + index, { port_security_enabled: index < GUESTS });
    port.fixed_ips.push({ subnet_id: v6.id, ip_address: `2001:db8::${11 + index}` });
    const namespace = await fakeGuest(host, MARK, port);
    // What arrives is heard and never answered.
    await namespace.sh(
      'nft add table inet deaf; nft "add chain inet deaf in { type filter hook input priority 0; policy drop; }"',
    );
    await machine.apply('port', port.id, port);
    guests.push({ port, namespace });
    ears.push(await hearFrames(namespace));
  }
});

afterAll(async () => {
  for (const ear of ears) ear.stop();
  await machine.close();
  await teardownIn(host.name, options);
  for (const namespace of [...guests.map((one) => one.namespace), host]) await namespace.close();
  folder.remove();
});

const addressOf = (port: PortSpec, version: 4 | 6) => port.fixed_ips[version === 4 ? 0 : 1]?.ip_address ?? '';
const PREFIXES = {
  4: ['0.0.0.0/0', '10.1.0.0/24', '10.1.0.8/29', '10.1.0.12/32', '192.0.2.0/24'],
  6: ['::/0', '2001:db8::/64', '2001:db8::10/124', '2001:db8::13/128', '2001:db8:9::/64'],
};
const PROTOCOLS = [6, 17, 1, 112];

/** Ports are few, so that rules and packets meet. */
const randomPort = () => 1000 + random(12);

function randomRule(groups: string[], addressGroups: string[]): SecurityGroupSpec['rules'][number] {
  const version = random(2) ? 4 : 6;
  const protocol = pick([null, ...PROTOCOLS, 6, 17]);
  const remote = pick([
    {},
    { remote_ip_prefix: pick(PREFIXES[version]) },
    { remote_ip_prefix: pick(PREFIXES[version]) },
    { remote_group_id: pick(groups) },
    { remote_address_group_id: pick(addressGroups) },
  ]);
  const low = randomPort();
  const range =
    protocol === null || protocol === 112 || !random(3)
      ? {}
      : protocol === 1
        ? {
            port_range_min: pick(version === 4 ? [8, 13, 0] : [128, 129]),
            port_range_max: random(2) ? random(2) : null,
          }
        : { port_range_min: low, port_range_max: low + random(5) };
  return ruleOf({
    direction: random(2) ? 'ingress' : 'egress',
    ethertype: version === 4 ? 'IPv4' : 'IPv6',
    protocol: protocol === 1 && version === 6 && random(2) ? 58 : protocol,
    ...range,
    ...remote,
  });
}

/** Makes groups, gives them to the ports, and waits until they are in force. */
async function randomCloud(): Promise<Cloud> {
  const ids = Array.from({ length: 6 }, () => randomUUID());
  const addressGroups = new Map(
    Array.from({ length: 3 }, () => [
      randomUUID(),
      [...PREFIXES[4].slice(1), ...PREFIXES[6].slice(1)].filter(() => !random(3)),
    ]),
  );
  const groups = ids.map((id, index) => ({
    id,
    stateful: index > 0,
    rules: Array.from({ length: 1 + random(12) }, () => randomRule(ids, [...addressGroups.keys()])),
  }));
  for (const [id, addresses] of addressGroups) await machine.apply('address-group', id, { id, addresses }, generation);
  for (const group of groups) await machine.apply('security-group', group.id, group, generation);
  const members: GroupMemberSpec[] = [];
  generation++;
  guests = await Promise.all(
    guests.map(async ({ port, namespace }) => {
      const chosen = ids.filter(() => random(3) === 0);
      const changed = { ...port, security_groups: port.port_security_enabled ? chosen : [] };
      await machine.apply('port', port.id, changed, generation);
      for (const group_id of changed.security_groups) {
        const addresses = port.fixed_ips.map((fixed) => fixed.ip_address);
        const member = { group_id, port_id: port.id, addresses };
        members.push(member);
        await machine.apply('group-member', `${group_id}:${port.id}`, member, generation);
      }
      return { port: changed, namespace };
    }),
  );
  return { groups, members, addressGroups };
}

const guestOf = (id: string) => guests.find(({ port }) => port.id === id)?.port as PortSpec;

let exchanges = 0;

function randomPacket(): Packet {
  const version = random(2) ? 4 : 6;
  const from = pick(guests).port;
  const to = pick(guests.filter((one) => one.port !== from)).port;
  const protocol = pick(PROTOCOLS);
  const withPorts = protocol === 6 || protocol === 17;
  exchanges++;
  return {
    from,
    to,
    version,
    source: addressOf(from, version),
    target: addressOf(to, version),
    protocol: protocol === 1 && version === 6 ? 58 : protocol,
    sourcePort: withPorts ? 2000 + exchanges : 0,
    port: withPorts ? randomPort() : 0,
    type: version === 4 ? pick([8, 13]) : 128,
    code: random(2),
    exchange: protocol === 1 ? exchanges : 0,
    begins: true,
  };
}

/** What would answer a packet; it may come unasked. */
function answerTo(packet: Packet): Packet {
  const { from, to, source, target, sourcePort, port } = packet;
  const type = packet.version === 4 ? (packet.type === 8 ? 0 : 14) : 129;
  const ends = { from: to, to: from, source: target, target: source, sourcePort: port, port: sourcePort };
  return { ...packet, ...ends, type, begins: ![6, 1, 58].includes(packet.protocol) };
}

function frameOf(packet: Packet, word: Buffer, isAnswer: boolean): Buffer {
  const { source, target, protocol, sourcePort, port } = packet;
  const id = Buffer.from([packet.exchange >> 8, packet.exchange & 0xff, 0, 1]);
  const payload =
    protocol === 6
      ? tcp(sourcePort, port, isAnswer ? SYN_ACK : SYN, word)
      : protocol === 17
        ? udp(sourcePort, port, word)
        : protocol === 112
          ? word
          : icmp(packet.type, packet.code, Buffer.concat([id, word]));
  const type = packet.version === 4 ? ETHERTYPES.ip : ETHERTYPES.ip6;
  return ethernet(packet.to.mac_address, packet.from.mac_address, type, ip(source, target, protocol, payload));
}

/** Sends packets, those of a guest in their order; answers which arrived. */
async function send(
  packets: readonly Packet[],
  wordOf: (packet: Packet) => Buffer,
  isAnswer: boolean,
): Promise<boolean[]> {
  await Promise.all(
    guests.map(({ port, namespace }) => {
      const own = packets.filter((packet) => packet.from === port);
      return sendFrames(
        namespace,
        own.map((packet) => frameOf(packet, wordOf(packet), isAnswer)),
      );
    }),
  );
  const last = Buffer.from(randomUUID());
  const free = guests[GUESTS];
  if (!free) throw new Error('no guest');
  const mac = free.port.mac_address;
  const all = guests
    .slice(0, GUESTS)
    .map(({ port }) =>
      ethernet(
        port.mac_address,
        mac,
        ETHERTYPES.arp,
        Buffer.concat([arp(2, [mac, '10.1.0.99'], [BROADCAST, '10.1.0.99']), last]),
      ),
    );
  await sendFrames(free.namespace, all);
  for (const ear of ears.slice(0, GUESTS))
    await eventually('the end', async () => ear.heard.some((frame) => frame.includes(last)));
  return packets.map((packet) => {
    const at = guests.findIndex(({ port }) => port === packet.to);
    return ears[at]?.heard.some((frame) => frame.includes(wordOf(packet))) ?? false;
  });
}

it(`agrees with Neutron's semantics of ${PACKETS} packets (SEED=${SEED})`, { timeout: 300_000 }, async () => {
  const model = new GroupsModel();
  let passed = 0;
  let answered = 0;
  let sent = 0;
  const cut = { passed: 0, dropped: 0 };
  let old: Packet[] = [];
  for (let round = 0; round < CLOUDS; round++) {
    const cloud = await randomCloud();
    for (const ear of ears) ear.heard.length = 0;
    const words = new Map<Packet, Buffer>();
    const wordOf = (packet: Packet) => {
      if (!words.has(packet)) words.set(packet, Buffer.from(randomUUID().slice(0, 8)));
      return words.get(packet) as Buffer;
    };
    // Of connections that other rules had let in.
    const late = old.map((packet) => ({ ...packet, from: guestOf(packet.from.id), to: guestOf(packet.to.id) }));
    const room = PACKETS / CLOUDS - late.length;
    const questions = Array.from({ length: Math.floor(room / 2) }, randomPacket);
    // Without ports all between two guests is one connection: which of them began it must not be a race.
    const ordered = questions.filter(
      (one, index) =>
        one.protocol !== 112 ||
        questions.findIndex(
          (other) =>
            other.protocol === 112 &&
            other.version === one.version &&
            [other.source, other.target].includes(one.source) &&
            [other.source, other.target].includes(one.target),
        ) === index,
    );
    const answers = ordered.map(answerTo);
    const more: Packet[] = [];
    while (more.length < room - 2 * ordered.length) {
      const packet = randomPacket();
      if (packet.protocol !== 112) more.push(packet);
    }
    for (const [batch, isAnswer] of [
      [late, true],
      [[...ordered, ...more], false],
      [answers, true],
    ] as const) {
      const expected = batch.map((packet) => model.passes(cloud, packet));
      const seen = await send(batch, wordOf, isAnswer);
      sent += batch.length;
      const wrong = batch.flatMap((packet, index) =>
        seen[index] === expected[index]
          ? []
          : [
              {
                ...packet,
                isAnswer,
                seen: seen[index],
                from: packet.from.security_groups,
                to: packet.to.security_groups,
              },
            ],
      );
      expect(wrong, `round ${round}, groups ${JSON.stringify(cloud.groups)}`).toEqual([]);
      passed += expected.filter(Boolean).length;
      if (batch === answers) {
        answered += expected.filter(Boolean).length;
        old = answers.filter((_, index) => expected[index]).slice(0, LATE);
      }
      if (batch === late) {
        cut.passed += expected.filter(Boolean).length;
        cut.dropped += expected.filter((passes) => !passes).length;
      }
    }
  }
  expect(sent).toBe(PACKETS);
  // Neither would prove anything if all passed, or none.
  expect(passed).toBeGreaterThan(sent / 20);
  expect(sent - passed).toBeGreaterThan(sent / 20);
  expect(answered).toBeGreaterThan(sent / 50);
  expect(cut.passed).toBeGreaterThan(0);
  expect(cut.dropped).toBeGreaterThan(LATE);
});
