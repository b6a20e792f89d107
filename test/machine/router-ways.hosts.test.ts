import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Names } from '../../runner/network/names.ts';
import type { NetworkSpec } from '../../shared/specs/network.ts';
import { hearFrames, icmp, ip } from './frames.ts';
import { type CheapGuest, type JoinedHosts, WORLD } from './joined-hosts.ts';
import { CURL, CURL_BRIEFLY, JoinedRouters, SNAT } from './joined-routers.ts';
import { eventually, Namespace } from './namespaces.ts';
import { groupOf, networkOf, ruleOf, withIpv6 } from './specs.ts';

/* What routers carry from machine to machine and to the world: large packets, IPv6, addresses as they are. */

const MARK = 'aeways';
const PING = 'busybox ping -c1 -W30';
/** A host behind a narrow link of the world. */
const BEYOND = '198.18.20.2';
const NARROW_MTU = 1280;

let routers: JoinedRouters;
let joined: JoinedHosts;
let open: string;
let beyond: Namespace;
beforeAll(async () => {
  routers = await JoinedRouters.open(MARK, 2);
  joined = routers.joined;
  const group = groupOf(ruleOf(), ruleOf({ ethertype: 'IPv6' }));
  open = group.id;
  await joined.applyEverywhere('security-group', open, group);
  beyond = await Namespace.make();
  await joined.outside.sh(`sysctl -qw net.ipv4.ip_forward=1
    ip link add narrow type veth peer name eth0 netns ${beyond.name}
    ip link set narrow mtu ${NARROW_MTU} up; ip addr add 198.18.20.1/30 dev narrow`);
  await beyond.sh(`ip link set eth0 up; ip addr add ${BEYOND}/30 dev eth0; ip route add default via 198.18.20.1`);
  const counts = `require('node:http').createServer((q, r) => {
    let bytes = 0; q.on('data', (d) => { bytes += d.length; }).on('end', () => r.end(String(bytes))); })
    .listen(80, '0.0.0.0', () => console.log('listening'))`;
  const server = beyond.start(process.execPath, '-e', counts);
  await new Promise((resolve) => server.stdout?.once('data', resolve));
});
afterAll(async () => {
  await joined.close();
  await beyond.close();
});

/** A web server that says much. */
async function serveMuch(guest: CheapGuest, port: number): Promise<void> {
  const script = `require('node:http').createServer((q, r) => r.end('x'.repeat(300000)))
    .listen(${port}, '0.0.0.0', () => console.log('listening'))`;
  const server = guest.namespace.start(process.execPath, '-e', script);
  await new Promise((resolve) => server.stdout?.once('data', resolve));
}

const uploads = (guest: CheapGuest) =>
  guest.namespace.sh(`head -c 300000 /dev/zero | ${CURL} --data-binary @- http://${BEYOND}/`);
const pathMtu = (guest: CheapGuest, to: string) => guest.namespace.sh(`ip route get ${to} | grep -o 'mtu [0-9]*'`);

describe('between networks of a router', () => {
  it('leads from machine to machine, both ways, under the rules of the receiver', async () => {
    const [one, two] = [await routers.network('10.50.0.0/24'), await routers.network('10.51.0.0/24')];
    const only = groupOf(ruleOf({ protocol: 1, remote_ip_prefix: '10.50.0.11/32' }));
    await joined.applyEverywhere('security-group', only.id, only);
    const a = await joined.guest(0, one, 11, [open]);
    const a2 = await joined.guest(0, one, 12, [open]);
    const b = await joined.guest(1, two, 11, [only.id]);
    expect(await a.namespace.does(`busybox ping -c1 -W1 ${b.address}`)).toBe(false);
    await routers.router([one, two]);
    expect(await a.namespace.does(`${PING} ${b.address}`)).toBe(true);
    expect(await b.namespace.does(`${PING} ${a.address}`)).toBe(true);
    expect(await a2.namespace.does(`busybox ping -c1 -W1 ${b.address}`)).toBe(false);
    await a.namespace.serve(80, 'a');
    expect(await b.namespace.sh(`${CURL} ${a.address}`)).toBe(`a ${b.address}`);
    await joined.moveGuest(b, 0);
    expect(await b.namespace.sh(`${CURL} ${a.address}`)).toBe(`a ${b.address}`);
  });

  it('says to a guest which packets are too big for the other network', async () => {
    const wide = await routers.network('10.52.0.0/24', { segment: { type: 'local' }, mtu: 1500 });
    const narrow = await routers.network('10.53.0.0/24');
    await routers.router([wide, narrow]);
    const a = await joined.guest(0, wide, 11, [open]);
    const b = await joined.guest(1, narrow, 11, [open]);
    await a.namespace.node(`const s = require('node:dgram').createSocket('udp4');
      s.send(Buffer.alloc(1472), 9, '${b.address}', () => s.close());`);
    await eventually('the MTU', () => a.namespace.does(`ip route get ${b.address} | grep -q 'mtu 1450'`));
  });

  it('carries IPv6', async () => {
    const [one, two] = [await dual('10.54.0.0/24', 'fd54::/64'), await dual('10.55.0.0/24', 'fd55::/64')];
    await routers.router([one, two]);
    const a = await dualGuest(0, one, 11);
    const b = await dualGuest(1, two, 12);
    expect(await a.namespace.does(`${PING} fd55::12`)).toBe(true);
    expect(await b.namespace.does(`${PING} fd54::11`)).toBe(true);
  });
});

describe('to the world', () => {
  it('guests leave with their own addresses where nobody translates, and are reached by them', async () => {
    const net = await routers.network('10.56.0.0/24');
    const routerId = await routers.router([net], {}, { enable_snat: false });
    const [a, b] = [await joined.guest(0, net, 11, [open]), await joined.guest(1, net, 12, [open])];
    const closed = groupOf();
    await joined.applyEverywhere('security-group', closed.id, closed);
    const shut = await joined.guest(0, net, 13, [closed.id]);
    await b.namespace.serve(80, 'b');
    await shut.namespace.serve(80, 'shut');
    // By whichever machine the world takes.
    for (const way of SNAT) {
      await joined.outside.sh(`ip route replace 10.56.0.0/24 via ${way}`);
      for (const guest of [a, b, shut]) {
        expect(await guest.namespace.sh(`${CURL} ${WORLD}`)).toBe(`world ${guest.address}`);
      }
      expect(await joined.outside.sh(`${CURL} ${b.address}`)).toBe(`b ${WORLD}`);
      expect(await joined.outside.does(`${CURL_BRIEFLY} ${shut.address}`)).toBe(false);
    }
    await routers.router([net], { id: routerId });
    expect(await b.namespace.sh(`${CURL} ${WORLD}`)).toBe(`world ${SNAT[1]}`);
    expect(await joined.outside.does(`${CURL_BRIEFLY} ${b.address}`)).toBe(false);
  });

  it('IPv6 leaves as it is, and is reached by whichever machine the world takes', async () => {
    const net = await dual('10.57.0.0/24', 'fd57::/64');
    await joined.outside.sh('sysctl -qw net.ipv6.conf.cable.disable_ipv6=0; ip addr add fd99::1/64 dev cable nodad');
    await routers.router([net], {}, { next_hops: [WORLD, 'fd99::1'] });
    const a = await dualGuest(0, net, 11);
    const b = await dualGuest(1, net, 12);
    const closed = groupOf();
    await joined.applyEverywhere('security-group', closed.id, closed);
    const shut = await dualGuest(0, net, 13, closed.id);
    const bridge = new Names(MARK).bridge(routers.outside.id);
    for (const { namespace } of joined.hosts) {
      const way = /fe80:[0-9a-f:]+/.exec(await namespace.sh(`ip -6 -o addr show dev ${bridge} scope link`))?.[0];
      await joined.outside.sh(`ip -6 route replace fd57::/64 via ${way} dev cable`);
      for (const [guest, address] of [
        [a, 'fd57::11'],
        [b, 'fd57::12'],
      ] as const) {
        expect(await guest.namespace.does(`${PING} fd99::1`)).toBe(true);
        expect(await joined.outside.does(`${PING} ${address}`)).toBe(true);
      }
      expect(await shut.namespace.does(`${PING} fd99::1`)).toBe(true);
      expect(await joined.outside.does('busybox ping -c1 -W1 fd57::13')).toBe(false);
    }
  });

  it('an answer that no guest asked for reaches none but those without port security', async () => {
    const net = await routers.network('10.62.0.0/24');
    await routers.router([net], {}, { enable_snat: false });
    const guarded = await joined.guest(0, net, 11, [open]);
    const free = await joined.guest(0, net, 12, [], { port_security_enabled: false });
    await joined.outside.sh(`ip route replace 10.62.0.0/24 via ${SNAT[0]}`);
    const ears = await Promise.all([guarded, free].map(({ namespace }) => hearFrames(namespace)));
    for (const { address } of [guarded, free]) await joined.outside.sh(echoReply(address));
    const hears = (ear: (typeof ears)[number] | undefined) => ear?.heard.some((frame) => frame.includes(UNASKED));
    await eventually('the answer', async () => hears(ears[1]));
    expect(hears(ears[0])).toBe(false);
    for (const ear of ears) ear.stop();
  });

  it('and to guests of the world’s own network, by the address that they see, under their rules', async () => {
    const { net } = await routers.tenant('10.63.0.0/24');
    const a = await joined.guest(0, net, 11, [open]);
    const [translated, home] = [SNAT[0], '10.63.0.11'].map((from) =>
      groupOf(ruleOf({ remote_ip_prefix: `${from}/32` })),
    );
    for (const group of [translated, home]) {
      if (!group) throw new Error('no group');
      await joined.applyEverywhere('security-group', group.id, group);
      const there = await joined.guest(0, routers.outside, group === home ? 51 : 50, [group.id]);
      await there.namespace.serve(80, 'there');
      if (group === translated) expect(await a.namespace.sh(`${CURL} ${there.address}`)).toBe(`there ${SNAT[0]}`);
      else expect(await a.namespace.does(`${CURL_BRIEFLY} ${there.address}`)).toBe(false);
    }
  });

  it('a narrow link of the world is known to guests, translated, floating or behind a shared address', async () => {
    const { net, routerId } = await routers.tenant('10.58.0.0/24');
    const translated = await joined.guest(0, net, 11, [open]);
    const floating = await joined.guest(0, net, 12, [open]);
    const shared = await joined.guest(1, net, 13, [open]);
    await routers.float('203.0.113.160', floating, routerId);
    const ports = { external_ports: [8080, 8080], internal_ports: [80, 80] } satisfies Record<string, [number, number]>;
    await routers.forward('203.0.113.161', 0, shared, routerId, ports);
    for (const guest of [translated, floating]) {
      expect(await uploads(guest)).toBe('300000');
      expect(await pathMtu(guest, BEYOND)).toBe(`mtu ${NARROW_MTU}\n`);
    }
    await serveMuch(shared, 80);
    expect(await beyond.sh(`${CURL} 203.0.113.161:8080 | wc -c`)).toBe('300000\n');
    expect(await pathMtu(shared, BEYOND)).toBe(`mtu ${NARROW_MTU}\n`);
  });

  it('the world hears which packets are too big for a guest behind an address', async () => {
    const { net, routerId } = await routers.tenant('10.59.0.0/24');
    const [a, b] = [await joined.guest(0, net, 11, [open]), await joined.guest(1, net, 12, [open])];
    await routers.float('203.0.113.162', a, routerId);
    const ports = { external_ports: [9, 9], internal_ports: [9, 9] } satisfies Record<string, [number, number]>;
    await routers.forward('203.0.113.163', 0, b, routerId, { protocol: 'udp', ...ports });
    for (const address of ['203.0.113.162', '203.0.113.163']) {
      await joined.outside.node(`const s = require('node:dgram').createSocket('udp4');
        s.send(Buffer.alloc(1472), 9, '${address}', () => s.close());`);
      await eventually('the MTU', () => joined.outside.does(`ip route get ${address} | grep -q 'mtu 1450'`));
    }
  });
});

const IP_HEADER_BYTES = 20;
const UNASKED = 'an answer that nobody asked for';

/** A command that sends an answer to a ping that there was not. */
function echoReply(address: string): string {
  const answer = icmp(0, 0, Buffer.from(`\x01\x02\x03\x04${UNASKED}`));
  const message = ip(WORLD, address, 1, answer).subarray(IP_HEADER_BYTES).toString('hex');
  return `python3 -c "import socket
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
s.sendto(bytes.fromhex('${message}'), ('${address}', 0))"`;
}

/** A network of both versions. */
const dual = (cidr: string, cidr6: string): Promise<NetworkSpec> =>
  routers.network(cidr, { subnets: withIpv6(networkOf(cidr), cidr6).subnets });

/** A guest of both versions that leaves by the gateways of both. */
async function dualGuest(index: number, net: NetworkSpec, offset: number, group = open): Promise<CheapGuest> {
  const guest = await joined.dualGuest(index, net, offset, [group]);
  await guest.namespace.sh(`ip route replace default via ${net.subnets[1]?.gateway_ip}`);
  return guest;
}
