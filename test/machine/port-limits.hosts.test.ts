import { afterAll, beforeAll, expect, it } from 'vitest';
import { gatewayMac } from '../../runner/network/names.ts';
import type { NetworkSpec } from '../../shared/specs/network.ts';
import { hearFrames, icmp, ip, sendFrames, tcp, udp } from './frames.ts';
import { JoinedHosts } from './joined-hosts.ts';
import { eventually } from './namespaces.ts';
import { arrived, type Speaker, v4 } from './said.ts';
import { groupOf, networkOf, ruleOf } from './specs.ts';

/* What one guest may ask of the machine that all share. */

const MARK = 'aelimi';
const CONNECTIONS_MAX = 16_384;
const FEW_CONNECTIONS = 20;
const NEW_PER_SECOND = 1_000;
const DHCP_PER_SECOND = 20;
const QUESTIONS = 1_000;
const SYN = 2;

let joined: JoinedHosts;
let net: NetworkSpec;
let a: Speaker;
let b: Speaker;
let other: Speaker;
beforeAll(async () => {
  joined = await JoinedHosts.open(MARK, 1);
  net = networkOf('10.1.0.0/24');
  const open = groupOf(ruleOf());
  await joined.applyEverywhere('security-group', open.id, open);
  await joined.applyEverywhere('network', net.id, net);
  const guest = async (offset: number): Promise<Speaker> => {
    const { namespace, port, address } = await joined.guest(0, net, offset, [open.id]);
    // It answers nothing, so that connections stay as they began.
    await namespace.sh(
      `nft 'table inet deaf { chain in { type filter hook input priority 0; meta l4proto tcp drop; }; }'`,
    );
    return { namespace, mac: port.mac_address, ip4: address };
  };
  [a, b, other] = [await guest(11), await guest(12), await guest(13)];
});
afterAll(() => joined.close());

const connects = (from: Speaker, port: number) => (word: Buffer) =>
  v4(from, b, ip(from.ip4, b.ip4, 6, tcp(1_024 + port, 80, SYN, word)));

it('holds only so many connections for a guest, which go on, and are no other’s loss', async () => {
  // Filled to the brim it would take a minute: a hand makes the vessel small.
  const { namespace } = joined.host(0);
  const rules = await namespace.sh(`nft list chain inet ${MARK} connection_limits | grep drop`);
  const [rate, count] = rules.trim().split('\n');
  await namespace.sh(`nft -f - <<'SCRIPT'
    flush chain inet ${MARK} connection_limits
    flush set inet ${MARK} connections
    add rule inet ${MARK} connection_limits ${rate}
    add rule inet ${MARK} connection_limits ${count?.replace(`${CONNECTIONS_MAX}`, `${FEW_CONNECTIONS}`)}\nSCRIPT`);
  const [to, back] = [
    (word: Buffer) => v4(a, b, ip(a.ip4, b.ip4, 17, udp(7, 8, word))),
    (word: Buffer) => v4(b, a, ip(b.ip4, a.ip4, 17, udp(8, 7, word))),
  ];
  expect(await arrived(a, b, { to })).toEqual(['to']);
  expect(await arrived(b, a, { back })).toEqual(['back']);
  const room = FEW_CONNECTIONS - 3;
  const there = Object.fromEntries(Array.from({ length: room }, (_, at) => [`there ${at}`, connects(a, at)]));
  expect(await arrived(a, b, there, other)).toEqual(Object.keys(there));
  const all = Array.from({ length: FEW_CONNECTIONS }, (_, at) => [`beyond ${at}`, connects(a, room + at)]);
  const beyond = await arrived(a, b, { ...Object.fromEntries(all), to }, other);
  // What is of that time and no connection of theirs leaves room for few.
  expect(beyond.length).toBeLessThan(5);
  expect(beyond).toContain('to');
  expect(await arrived(other, b, { another: connects(other, 0) })).toEqual(['another']);
});

it('asks no DHCP server more than so often', async () => {
  const question = v4(a, b, ip(a.ip4, b.ip4, 17, udp(68, 67, Buffer.from('floods'))));
  const ear = await hearFrames(b.namespace);
  const began = performance.now();
  await sendFrames(a.namespace, Array(QUESTIONS).fill(question));
  const s = Math.ceil((performance.now() - began) / 1000);
  await sendFrames(other.namespace, [v4(other, b, ip(other.ip4, b.ip4, 17, udp(9, 9, Buffer.from('the last'))))]);
  await eventually('the last frame', async () => ear.heard.some((one) => one.includes('the last')));
  ear.stop();
  const { length } = ear.heard.filter((one) => one.includes('floods'));
  expect(length).toBeGreaterThanOrEqual(DHCP_PER_SECOND);
  expect(length).toBeLessThanOrEqual(DHCP_PER_SECOND * (1 + s));
});

it('does not keep others from their gateway by asking it much', async () => {
  const gateway = { mac: gatewayMac(net.id) };
  // Each is a connection of its own, as those are that another limit counts.
  const ping = (from: Speaker, id: number, word: Buffer) =>
    v4(
      from,
      gateway,
      ip(from.ip4, '10.1.0.1', 1, icmp(8, 0, Buffer.concat([Buffer.from([id >> 8, id & 0xff, 0, 1]), word]))),
    );
  const word = Buffer.from('floods');
  await sendFrames(
    a.namespace,
    Array.from({ length: NEW_PER_SECOND }, (_, id) => ping(a, id, word)),
  );
  expect(await arrived(other, other, { ping: (own) => ping(other, 1, own) }, b)).toEqual(['ping']);
});
