import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Names } from '../../runner/network/names.ts';
import type { NetworkSpec } from '../../shared/specs/network.ts';
import { type CheapGuest, JoinedHosts, neighborOf, WORLD } from './joined-hosts.ts';
import { configure, eventually, plugIn } from './namespaces.ts';
import { groupOf, networkOf, portOf, ruleOf } from './specs.ts';

/*
 * VXLAN networks of three machines with real packets; namespaces stand in for guests. What must not arrive is waited for
 * briefly, after the same path was seen to work.
 */

const MARK = 'aevxl';
const names = new Names(MARK);
const pings = (address: string) => `busybox ping -c1 -W30 ${address}`;
const pingsBriefly = (address: string) => `busybox ping -c1 -W1 ${address}`;
const CURL = 'curl -sS -m 30';

/** A second on a machine that has nothing else to do. */
const NEIGHBORS_MS = 5_000;
/** Of a ping that is told from all others. */
const LAST_BYTES = 999;

let joined: JoinedHosts;
let open: string;
let ids = 1000;

beforeAll(async () => {
  joined = await JoinedHosts.open(MARK, 3);
  const group = groupOf(ruleOf(), ruleOf({ ethertype: 'IPv6' }));
  open = group.id;
  await joined.applyEverywhere('security-group', open, group);
});
afterAll(() => joined.close());

async function network(cidr: string, change: Partial<NetworkSpec> = {}): Promise<NetworkSpec> {
  const spec = networkOf(cidr, { segment: { type: 'vxlan', id: ids++ }, ...change });
  await joined.applyEverywhere('network', spec.id, spec);
  return spec;
}

/** Guests' frames that tcpdump saw in tunnels while something happened, as its lines. The last must be a ping of this size. */
async function framesInTunnels(what: () => Promise<unknown>): Promise<string[]> {
  const ear = await joined.underlay.tcpdump('-i', 'cable', 'udp port 4789');
  await what();
  const lastAnswer = new RegExp(`reply.*length ${LAST_BYTES + 8}`);
  await eventually('the last answer', async () => lastAnswer.test(ear.text()));
  ear.stop();
  const text = ear.text();
  expect(text).not.toContain(`> ${joined.host(2).tunnelIp}.4789`);
  return text.split('\n').filter((line) => /^[0-9a-f:]{17} > /.test(line));
}

describe('a VXLAN network', () => {
  it('joins guests of several machines, and keeps tenants with the same addresses apart', async () => {
    const [mine, theirs] = [await network('10.1.0.0/24'), await network('10.1.0.0/24')];
    const a = await joined.guest(0, mine, 11, [open]);
    const b = await joined.guest(1, mine, 12, [open]);
    const c = await joined.guest(2, mine, 13, [open]);
    const other = await joined.guest(1, theirs, 12, [open]);
    const lonely = await joined.guest(0, theirs, 14, [open]);
    await b.namespace.serve(80, 'mine');
    await other.namespace.serve(80, 'theirs');
    for (const from of [a, c]) expect(await from.namespace.sh(`${CURL} ${b.address}`)).toBe(`mine ${from.address}`);
    expect(await lonely.namespace.sh(`${CURL} ${b.address}`)).toBe(`theirs ${lonely.address}`);
    await b.namespace.sh(pings(c.address));
    expect(await lonely.namespace.does(pingsBriefly(c.address))).toBe(false);
    // The largest packet that fits passes whole.
    await a.namespace.sh(`${pings(b.address)} -s ${mine.mtu - 28}`);
    expect(await a.namespace.sh(`${CURL} ${WORLD}`)).toBe(`world ${joined.host(0).address}`);
    expect(await b.namespace.sh(`${CURL} ${WORLD}`)).toBe(`world ${joined.host(1).address}`);
  });

  it("answers for addresses on the guest's own machine, and sends nothing to machines that it is not for", async () => {
    const net = await network('10.2.0.0/24');
    const a = await joined.guest(0, net, 11, [open]);
    const b = await joined.guest(1, net, 12, [open]);
    await joined.guest(2, net, 13, [open]);
    const frames = await framesInTunnels(async () => {
      await a.namespace.sh(pings(b.address));
      await a.namespace.does('arping -c1 -w1 -i eth0 10.2.0.77');
      await a.namespace.sh(`arping -c1 -w5 -i eth0 ${b.address}`);
      await a.namespace.does('busybox ping -c1 -W1 224.0.0.1');
      await a.namespace.sh('ip neigh replace 10.2.0.99 lladdr fa:16:3e:99:99:99 dev eth0 nud permanent');
      await a.namespace.does(pingsBriefly('10.2.0.99'));
      await a.namespace.sh(pings('10.2.0.1'));
      await a.namespace.sh(`${pings(b.address)} -s ${LAST_BYTES}`);
    });
    expect(frames.length).toBeGreaterThanOrEqual(4);
    const [there, back] = [
      `${a.port.mac_address} > ${b.port.mac_address}`,
      `${b.port.mac_address} > ${a.port.mac_address}`,
    ];
    expect(frames.filter((line) => !line.startsWith(there) && !line.startsWith(back))).toEqual([]);
  });

  it("takes nothing out of a tunnel that no neighbor's machine put in, nor lets a guest pass for one", async () => {
    const net = await network('10.3.0.0/24');
    const a = await joined.guest(0, net, 11, [open]);
    const b = await joined.guest(1, net, 12, [open]);
    await a.namespace.sh(pings(b.address));
    const heard = await b.namespace.listenUdp(5000);
    const id = net.segment.type === 'vxlan' ? net.segment.id : 0;
    const inject = (from: string) => sendVxlan(from, joined.host(1).tunnelIp, id, a, b);
    // From the neighbor's machine itself it passes: the packet is well made.
    await joined.host(0).namespace.node(inject('neighbor'));
    await eventually('what a neighbor sent', async () => heard.heard().includes('neighbor'));
    await joined.underlay.sh('ip addr replace 192.0.2.99/24 dev cable');
    await joined.underlay.node(inject('stranger'));
    await a.namespace.node(inject('guest'));
    await joined.host(0).namespace.node(inject('again'));
    await eventually('what a neighbor sent', async () => heard.heard().includes('again'));
    expect(heard.heard()).not.toMatch(/stranger|guest/);
  });

  it('follows a guest that moves, there and back, in whatever order the machines hear of it', async () => {
    const net = await network('10.4.0.0/24');
    const a = await joined.guest(0, net, 11, [open]);
    const b = await joined.guest(1, net, 12, [open]);
    const c = await joined.guest(2, net, 13, [open]);
    await c.namespace.sh(pings(b.address));
    for (const to of [0, 2, 1]) {
      await joined.moveGuest(b, to);
      for (const from of [a, c]) await from.namespace.sh(pings(b.address));
      expect(await b.namespace.sh(`${CURL} ${WORLD}`)).toBe(`world ${joined.host(to).address}`);
    }
    // The port is here before the word that it is there is taken back: until then frames go there.
    const [from, to] = [b.host, joined.host(0)];
    await from.machine.remove('port', b.port.id);
    await plugIn(b.namespace, to.namespace, MARK, b.port);
    await configure(b.namespace, b.port, '10.4.0.1');
    await to.machine.apply('port', b.port.id, b.port, 900);
    expect(await a.namespace.does(pingsBriefly(b.address))).toBe(false);
    await to.machine.remove('neighbor', b.port.id);
    await a.namespace.sh(pings(b.address));
    b.host = to;
    for (const other of [1, 2]) {
      await joined.host(other).machine.apply('neighbor', b.port.id, neighborOf(b.port, to.tunnelIp), 901);
    }
    await c.namespace.sh(pings(b.address));
  });

  it('goes without a trace, and is found again by a runner that starts', async () => {
    const net = await network('10.5.0.0/24');
    const a = await joined.guest(0, net, 11, [open]);
    const b = await joined.guest(1, net, 12, [open]);
    await a.namespace.sh(pings(b.address));
    await joined.host(0).machine.kill();
    await a.namespace.sh(pings(b.address));
    await joined.reopen(0);
    await a.namespace.sh(pings(b.address));
    for (const guest of [a, b]) await joined.removeGuest(guest);
    for (const { machine, namespace } of joined.hosts) {
      await machine.remove('network', net.id);
      expect(await namespace.sh('ip -o link')).not.toMatch(
        new RegExp(`${names.bridge(net.id)}|${names.segment(net.id)}`),
      );
      expect(await namespace.sh('bridge fdb; ip neigh')).not.toContain(a.port.mac_address);
      expect(await namespace.sh('nft list ruleset')).not.toContain(a.address);
    }
  });

  it('comes back when somebody deletes its bridge or its tunnel', async () => {
    const net = await network('10.6.0.0/24');
    const a = await joined.guest(0, net, 11, [open]);
    const b = await joined.guest(1, net, 12, [open]);
    await a.namespace.sh(pings(b.address));
    const { namespace, machine } = joined.host(0);
    for (const link of [names.bridge(net.id), names.segment(net.id)]) {
      await namespace.sh(`ip link del ${link}`);
      await eventually('the network', () => a.namespace.does(pingsBriefly(b.address)));
      await a.namespace.sh(pings('10.6.0.1'));
      await eventually('all of it', async () => (await machine.observe('network', net.id))?.state === 'applied');
    }
    expect(await a.namespace.sh(`${CURL} ${WORLD}`)).toBe(`world ${joined.host(0).address}`);
  });

  it('learns of a thousand neighbors within a second', async () => {
    const net = await network('10.8.0.0/16');
    const { machine, namespace } = joined.host(0);
    const ports = Array.from({ length: 1000 }, (_, index) =>
      portOf(net, 1, {
        fixed_ips: [{ subnet_id: net.subnets[0]?.id ?? '', ip_address: `10.8.${1 + (index >> 8)}.${index & 255}` }],
      }),
    );
    const start = performance.now();
    await Promise.all(
      ports.map((port) => machine.apply('neighbor', port.id, neighborOf(port, joined.host(1).tunnelIp))),
    );
    const took_ms = performance.now() - start;
    console.log(`1,000 neighbors in ${Math.round(took_ms)} ms`);
    const one = performance.now();
    await machine.remove('neighbor', ports[0]?.id ?? '');
    expect(took_ms).toBeLessThan(NEIGHBORS_MS);
    console.log(`one of them went in ${Math.round(performance.now() - one)} ms`);
    expect((await namespace.sh(`ip neigh show dev ${names.bridge(net.id)} nud permanent | wc -l`)).trim()).toBe('999');
    expect((await namespace.sh(`bridge fdb show dev ${names.segment(net.id)} | grep -c 192.0.2.2`)).trim()).toBe('999');
    await Promise.all(ports.map((port) => machine.remove('neighbor', port.id)));
    expect((await namespace.sh(`ip neigh show dev ${names.bridge(net.id)} nud permanent | wc -l`)).trim()).toBe('0');
  });
});

/** A script that sends a guest's datagram to another guest, as a machine does that puts it into a tunnel. */
function sendVxlan(word: string, to: string, id: number, a: CheapGuest, b: CheapGuest): string {
  return `const hex = (text) => Buffer.from(text.replaceAll(/[:.]/g, ''), 'hex');
    const ip4 = (text) => Buffer.from(text.split('.').map(Number));
    const payload = Buffer.from('${word}');
    const udp = Buffer.alloc(8); udp.writeUInt16BE(4000, 0); udp.writeUInt16BE(5000, 2); udp.writeUInt16BE(8 + payload.length, 4);
    const ip = Buffer.alloc(20); ip[0] = 0x45; ip.writeUInt16BE(28 + payload.length, 2); ip[8] = 64; ip[9] = 17;
    ip4('${a.address}').copy(ip, 12); ip4('${b.address}').copy(ip, 16);
    let sum = 0; for (let i = 0; i < 20; i += 2) sum += ip.readUInt16BE(i);
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16); ip.writeUInt16BE(~sum & 0xffff, 10);
    const vxlan = Buffer.from([8, 0, 0, 0, ${id >> 16}, ${(id >> 8) & 255}, ${id & 255}, 0]);
    const frame = Buffer.concat([vxlan, hex('${b.port.mac_address}'), hex('${a.port.mac_address}'), hex('0800'), ip, udp, payload]);
    const socket = require('node:dgram').createSocket('udp4');
    socket.send(frame, 4789, '${to}', () => socket.close());`;
}
