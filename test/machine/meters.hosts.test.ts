import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { NaiveReceiver } from '../../runner/testing/naive-receiver.ts';
import type { NetworkSpec } from '../../shared/specs/network.ts';
import { shellBlocks } from '../readme-blocks.ts';
import { type CheapGuest, type JoinedHosts, WORLD } from './joined-hosts.ts';
import { JoinedRouters } from './joined-routers.ts';
import { eventually, type Namespace } from './namespaces.ts';
import { networkOf, withIpv6 } from './specs.ts';

/* Bytes that are known before they are sent are counted exactly, to the right resource, whatever becomes of runner and rules. */

const MARK = 'aemete';
const DOCUMENT = join(import.meta.dirname, '../../docs/metering.md');
const THIS = 'test/machine/meters.hosts.test.ts';
const HEADERS = 28;
const ETHERNET = 14;

let routers: JoinedRouters;
let joined: JoinedHosts;
let open: string;
let inside: { net: NetworkSpec; routerId: string };
let told: NaiveReceiver;
beforeAll(async () => {
  routers = await JoinedRouters.open(MARK, 2);
  joined = routers.joined;
  open = routers.open.id;
  inside = await routers.tenant('10.60.0.0/24');
});
beforeEach(() => {
  told = new NaiveReceiver();
});
afterAll(() => joined.close());

const machine = (index = 0) => joined.host(index).machine;

/** Takes a sample, and keeps it. */
async function sample(index = 0): Promise<void> {
  told.take(await machine(index).collect());
  await machine(index).kept();
}

let ports = 20_000;
/** Sends datagrams of a size that all arrive; answers the bytes of IP that went. */
async function send(from: Namespace, to: string, at: Namespace, count: number, size: number): Promise<number> {
  const port = ports++;
  const ear = await at.listenUdp(port);
  await from.node(`const s = require('node:dgram').createSocket('udp4'); let left = ${count};
    const next = () => left-- > 0 ? s.send(Buffer.alloc(${size}, 'm'), ${port}, '${to}', () => setTimeout(next, 1)) : s.close();
    next();`);
  await eventually('all datagrams', async () => ear.heard().replace('listening\n', '').length === count * size);
  return count * (size + HEADERS);
}

const egress = ({ port }: CheapGuest) => told.sum(port.id, 'public.egress.bytes');
const ingress = ({ port }: CheapGuest) => told.sum(port.id, 'public.ingress.bytes');
const floating = (id: string) => [told.sum(id, 'floating_ip.egress.bytes'), told.sum(id, 'floating_ip.ingress.bytes')];

it('tells what goes to the world from what stays between guests, and whose it is', async () => {
  const [a, b] = [await joined.guest(0, inside.net, 11, [open]), await joined.guest(0, inside.net, 12, [open])];
  const other = await routers.network('10.61.0.0/24');
  await routers.router([inside.net, other], { id: inside.routerId });
  const c = await joined.guest(0, other, 11, [open]);
  const id = await routers.float('203.0.113.120', b, inside.routerId);
  await sample();
  // Within a network, and between two of one router.
  const near = await send(a.namespace, b.address, b.namespace, 40, 1000);
  await send(a.namespace, c.address, c.namespace, 40, 1000);
  await sample();
  expect([a, b, c].flatMap((one) => [egress(one), ingress(one)])).toEqual([0, 0, 0, 0, 0, 0]);
  expect(floating(id)).toEqual([0, 0]);
  // Beside what was sent there are a few frames of ARP.
  const onTap = told.sum(b.port.id, 'network.incoming.bytes');
  expect(onTap).toBeGreaterThanOrEqual(near + 40 * ETHERNET);
  expect(onTap).toBeLessThan(near + 40 * ETHERNET + 2000);
  expect(told.sum(a.port.id, 'network.outgoing.bytes')).toBeGreaterThanOrEqual(2 * (near + 40 * ETHERNET));
  expect(told.sum(a.port.id, 'network.outgoing.packets')).toBeGreaterThanOrEqual(80);
  // By the machine's address, by a floating IP, and back to it.
  const plain = await send(a.namespace, WORLD, joined.outside, 30, 700);
  const translated = await send(b.namespace, WORLD, joined.outside, 20, 900);
  const back = await send(joined.outside, '203.0.113.120', b.namespace, 10, 1100);
  await sample();
  expect([egress(a), ingress(a), egress(b), ingress(b)]).toEqual([plain, 0, translated, back]);
  expect([egress(c), ingress(c)]).toEqual([0, 0]);
  expect(floating(id)).toEqual([translated, back]);
});

it('counts the same through a floating IP wherever the other guest is', async () => {
  const address = '203.0.113.121';
  const other = await routers.tenant('10.62.0.0/24');
  const asked = await joined.guest(0, inside.net, 21, [open]);
  const id = await routers.float(address, asked, inside.routerId);
  let all = 0;
  for (const [index, net, offset] of [
    [0, other.net, 22],
    [0, inside.net, 23],
    [1, other.net, 24],
    [1, inside.net, 25],
  ] as const) {
    const from = await joined.guest(index, net, offset, [open]);
    const sent = await send(from.namespace, address, asked.namespace, 15, 800);
    all += sent;
    await sample(0);
    await sample(1);
    expect([index, offset, egress(from), ingress(from)]).toEqual([index, offset, sent, 0]);
    expect([index, offset, ingress(asked), floating(id)]).toEqual([index, offset, all, [0, all]]);
  }
  expect(egress(asked)).toBe(0);
});

it('counts what guests on a network of the world exchange with others there, whoever those are', async () => {
  const { outside } = routers;
  const [a, b] = [await joined.guest(0, outside, 61, [open]), await joined.guest(0, outside, 62, [open])];
  const there = await joined.guest(1, outside, 63, [open]);
  const tenants = await joined.guest(0, inside.net, 81, [open]);
  const id = await routers.float('203.0.113.129', tenants, inside.routerId);
  await sample();
  await sample(1);
  const sent = await send(a.namespace, WORLD, joined.outside, 10, 600);
  const came = await send(joined.outside, a.address, a.namespace, 11, 700);
  const beside = await send(a.namespace, b.address, b.namespace, 12, 800);
  const elsewhere = await send(a.namespace, there.address, there.namespace, 13, 900);
  // To a guest of a tenant by its address of the world, and back from it, all of it on one machine.
  const asked = await send(a.namespace, '203.0.113.129', tenants.namespace, 14, 1000);
  const answered = await send(tenants.namespace, a.address, a.namespace, 15, 1100);
  await sample();
  await sample(1);
  expect([egress(a), ingress(a)]).toEqual([sent + beside + elsewhere + asked, came + answered]);
  expect([egress(b), ingress(b), egress(there), ingress(there)]).toEqual([0, beside, 0, elsewhere]);
  expect([egress(tenants), ingress(tenants), ...floating(id)]).toEqual([answered, asked, answered, asked]);
});

it('goes on through the end of the runner, changes of others and rules that somebody flushes', async () => {
  const a = await joined.guest(0, inside.net, 31, [open]);
  const id = await routers.float('203.0.113.122', a, inside.routerId);
  const send1 = () => send(a.namespace, WORLD, joined.outside, 10, 500);
  let sent = await send1();
  await sample();
  // Others come and go, and the port's own rules change.
  const b = await joined.guest(0, inside.net, 32, [open]);
  sent += await send1();
  await joined.removeGuest(b);
  await machine().apply('port', a.port.id, { ...a.port, security_groups: [open], mtu: 1400 }, 900);
  sent += await send1();
  await machine().kill();
  sent += await send1();
  await joined.reopen(0);
  sent += await send1();
  await sample();
  expect([egress(a), floating(id)[0]]).toEqual([sent, sent]);
  expect(told.epochs(a.port.id, 'public.egress.bytes')).toBe(1);
  // All but the counters: they stand.
  for (const table of [`inet ${MARK}`, `bridge ${MARK}`])
    await joined.host(0).namespace.sh(`nft delete table ${table}`);
  await eventually('the rules', () => joined.host(0).namespace.does(`nft list table bridge ${MARK}`));
  sent += await send1();
  // Everything: what was counted since the last sample is gone, which is nothing here.
  await sample();
  await joined.host(0).namespace.sh('nft flush ruleset');
  await eventually('the rules', () =>
    joined.host(0).namespace.does(`nft list table inet ${MARK}-meters && ! nft list table bridge ${MARK}-shut`),
  );
  sent += await send1();
  await sample();
  expect([egress(a), floating(id)[0]]).toEqual([sent, sent]);
  expect(told.epochs(a.port.id, 'public.egress.bytes')).toBe(2);
});

it('reads what ended a last time, once, and then forgets it', async () => {
  const a = await joined.guest(0, inside.net, 41, [open]);
  const id = await routers.float('203.0.113.123', a, inside.routerId);
  const sent = await send(a.namespace, WORLD, joined.outside, 10, 600);
  // Nothing was sampled so far.
  await machine().remove('floating-ip', id);
  await joined.removeGuest(a);
  const counters = () => joined.host(0).namespace.sh(`nft list counters table inet ${MARK}-meters`);
  expect(await counters()).toContain(id);
  // Read, but the disk was full.
  told.take(await machine().collect());
  expect([egress(a), floating(id)[0]]).toEqual([sent, sent]);
  expect(told.sum(a.port.id, 'network.outgoing.bytes')).toBeGreaterThan(sent);
  await sample();
  expect([egress(a), floating(id)[0]]).toEqual([sent, sent]);
  expect(await counters()).not.toMatch(new RegExp(`${id}|${a.port.id}`));
  const after = await machine().collect();
  expect(after.filter((one) => [id, a.port.id].includes(one.id))).toEqual([]);
});

it('counts what a guest makes up that has no port security, as its own', async () => {
  const a = await joined.guest(0, inside.net, 51, [], { port_security_enabled: false });
  await a.namespace.sh('ip addr add 10.60.0.151/24 dev eth0');
  const before = await a.namespace.sh(`ip route replace ${WORLD} via 10.60.0.1 src 10.60.0.151; ip route get ${WORLD}`);
  expect(before).toContain('10.60.0.151');
  const sent = await send(a.namespace, WORLD, joined.outside, 10, 400);
  await sample();
  expect(egress(a)).toBe(sent);
  await a.namespace.sh(`ip link set eth0 address 02:00:00:00:00:99; ip route replace ${WORLD} via 10.60.0.1`);
  const more = await send(a.namespace, WORLD, joined.outside, 10, 400);
  await sample();
  expect(egress(a)).toBe(sent + more);
});

it('counts IPv6, and guests whose machine itself is the way out', async () => {
  const shared = withIpv6(networkOf('10.63.0.0/24'), 'fd63::/64');
  await joined.applyEverywhere('network', shared.id, shared);
  const a = await joined.dualGuest(0, shared, 11, [open]);
  let sent = await send(a.namespace, WORLD, joined.outside, 10, 300);
  // DHCP, metadata and the gateway itself are this machine's.
  expect(await a.namespace.does('ping -c3 -i0.2 10.63.0.1')).toBe(true);
  await sample();
  expect([egress(a), ingress(a)]).toEqual([sent, 0]);
  const { namespace } = joined.host(0);
  await joined.outside.sh('sysctl -qw net.ipv6.conf.cable.disable_ipv6=0; ip addr add fd99::1/64 dev cable nodad');
  await namespace.sh('ip addr add fd99::10/64 dev up0 nodad; ip route add default via fd99::1');
  await joined.outside.sh('ip route add fd63::/64 via fd99::10');
  await a.namespace.sh('ip route add default via fd63::1');
  await eventually('a way', () => a.namespace.does('ping -c1 -W1 fd99::1'));
  await sample();
  sent = egress(a);
  const echoed = ingress(a);
  expect(echoed).toBeGreaterThan(0);
  await a.namespace.sh('ping -c5 -i0.2 -s 952 fd99::1');
  await sample();
  expect([egress(a) - sent, ingress(a) - echoed]).toEqual([5 * 1000, 5 * 1000]);
});

it('counts the forwarded ports of an address where it is held', async () => {
  const address = '203.0.113.124';
  const [near, far] = [await joined.guest(0, inside.net, 61, [open]), await joined.guest(1, inside.net, 62, [open])];
  const id = randomUUID();
  const change = { protocol: 'udp' as const, floating_ip_id: id };
  let sent = 0;
  for (const guest of [near, far]) {
    const port = ports;
    const forwarded: [number, number] = [port, port];
    await routers.forward(address, 0, guest, inside.routerId, {
      ...change,
      external_ports: forwarded,
      internal_ports: forwarded,
    });
    sent += await send(joined.outside, address, guest.namespace, 10, 450);
  }
  await sample(0);
  await sample(1);
  expect(floating(id)).toEqual([0, sent]);
});

it('is looked at as the document says', async () => {
  const a = await joined.guest(0, inside.net, 71, [open]);
  const blocks = shellBlocks(DOCUMENT).filter(({ marker }) => marker === THIS);
  const script = blocks.map(({ code }) => code).join('\n');
  const said = await joined.host(0).namespace.sh(`export AE=${MARK}; set -eu\n${script}`);
  expect(said).toMatch(new RegExp(`counter port_${a.port.id}_[0-9a-z]+_in`));
  expect(said).toMatch(new RegExp(`${a.port.mac_address} : "port_${a.port.id}_[0-9a-z]+_out"`));
});

it('measures the machine itself', async () => {
  const samples = (await machine().collect()).filter((one) => one.type === 'runner');
  expect(samples).toHaveLength(1);
  const { 'host.cpu.time': cpu, 'host.memory.used': memory, 'host.disk.used': disk } = samples[0]?.values ?? {};
  for (const value of [cpu, memory, disk]) expect(value).toBeGreaterThan(0);
});
