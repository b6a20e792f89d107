import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Names } from '../../runner/network/names.ts';
import type { NetworkSpec } from '../../shared/specs/network.ts';
import { type JoinedHosts, WORLD } from './joined-hosts.ts';
import { JoinedRouters, SNAT } from './joined-routers.ts';
import { eventually, type Namespace } from './namespaces.ts';
import { networkNumber } from './network-number.ts';

/*
 * Routes and translations may be wrong, or of a moment ago: then the filter alone stands in the way. Here a hand makes them
 * wrong while the runner does not look, and then opens the filter, which shows that nothing else was in the way.
 */

const MARK = 'aeonly';
const names = new Names(MARK);

let routers: JoinedRouters;
let joined: JoinedHosts;
let open: string;
let ports = 5000;
beforeAll(async () => {
  routers = await JoinedRouters.open(MARK, 1);
  joined = routers.joined;
  open = routers.open.id;
});
afterAll(() => joined.close());

const numberOf = (net: NetworkSpec) => networkNumber(joined.host(0).options.stateDir, net.id);
const table = (net: NetworkSpec) => names.routingTable(numberOf(net));
const bridge = (net: NetworkSpec) => `"${names.bridge(net.id)}"`;
const onHost = (line: string) => joined.host(0).namespace.sh(line);
const element = (verb: 'add' | 'delete', set: string, text: string) =>
  onHost(`nft '${verb} element inet ${MARK} ${set} { ${text} }'`);

/** A way of datagrams that are all of one connection. */
async function wayOf(from: Namespace, at: Namespace, to: string) {
  const port = ports++;
  const { heard } = await at.listenUdp(port);
  const say = (word: string) =>
    from.node(`const s = require('node:dgram').createSocket('udp4');
      s.bind(${port}, () => s.send('${word} ', ${port}, '${to}', () => s.close()));`);
  const arrives = async (word: string) => {
    await say(word);
    await eventually(word, async () => heard().includes(word));
  };
  return { say, arrives, heard: () => heard().replace('listening\n', '') };
}

/** Says a word, another one while an element of a set is changed, and a last one; answers what was heard. */
async function heardOf(way: Awaited<ReturnType<typeof wayOf>>, verb: 'add' | 'delete', set: string, text: string) {
  await way.arrives('before');
  await element(verb, set, text);
  await way.say('meanwhile');
  await element(verb === 'add' ? 'delete' : 'add', set, text);
  await way.arrives('afterwards');
  return way.heard();
}

describe('a route by hand', () => {
  it('leads nowhere between networks that no router joins', async () => {
    const [one, two] = [await routers.network('10.80.0.0/24'), await routers.network('10.81.0.0/24')];
    for (const net of [one, two]) await routers.router([net]);
    const [a, b] = [await joined.guest(0, one, 11, [open]), await joined.guest(0, two, 11, [open])];
    const way = await wayOf(a.namespace, b.namespace, b.address);
    await joined.host(0).machine.whileStopped(async () => {
      await onHost(`ip route add 10.81.0.0/24 dev ${bridge(two)} table ${table(one)}`);
      await way.say('closed');
      const passable = `${bridge(one)} . ${bridge(two)}`;
      await element('add', 'passable', passable);
      await way.arrives('opened');
      await element('delete', 'passable', passable);
    });
    expect(way.heard()).toBe('opened ');
  });

  it('leads nowhere by the machine itself from a network whose guests do not leave by it', async () => {
    const net = await routers.network('10.82.0.0/24');
    await routers.router([net], { gateway: null });
    const a = await joined.guest(0, net, 11, [open]);
    const way = await wayOf(a.namespace, joined.outside, WORLD);
    await joined.host(0).machine.whileStopped(async () => {
      await onHost(`ip route add ${WORLD}/32 dev up0 table ${table(net)}`);
      await way.say('closed');
      await element('add', 'masqueraded', names.networkMark(numberOf(net)));
      await way.arrives('opened');
      await element('delete', 'masqueraded', names.networkMark(numberOf(net)));
    });
    expect(way.heard()).toBe('opened ');
  });
});

describe('a route by hand from the world', () => {
  it('leads nowhere into a network that the world does not reach as it is', async () => {
    const { net } = await routers.tenant('10.77.0.0/24');
    const a = await joined.guest(0, net, 11, [open]);
    const way = await wayOf(joined.outside, a.namespace, a.address);
    await joined.outside.sh(`ip route add 10.77.0.0/24 via ${SNAT[0]}`);
    await joined.host(0).machine.whileStopped(async () => {
      await onHost(`ip route add 10.77.0.0/24 dev ${bridge(net)} table ${table(routers.outside)}`);
      await way.say('closed');
      const inbound = `${bridge(routers.outside)} . ${a.address} : ${names.networkMark(numberOf(net))}`;
      await element('add', 'inbound4', inbound);
      await way.arrives('opened');
      await element('delete', 'inbound4', inbound);
    });
    expect(way.heard()).toBe('opened ');
  });
});

describe('a neighbor by hand', () => {
  it('brings no guest what is sent to an address that no port has', async () => {
    const [one, two] = [await routers.network('10.79.0.0/24'), await routers.network('10.78.0.0/24')];
    await routers.router([one, two]);
    const [a, b] = [await joined.guest(0, one, 11, [open]), await joined.guest(0, two, 11, [open])];
    const nobodys = '10.78.0.77';
    await b.namespace.sh(`ip addr add ${nobodys}/24 dev eth0`);
    const [way, known] = [
      await wayOf(a.namespace, b.namespace, nobodys),
      await wayOf(a.namespace, b.namespace, b.address),
    ];
    await joined.host(0).machine.whileStopped(async () => {
      await onHost(`ip neigh replace ${nobodys} lladdr ${b.port.mac_address} dev ${bridge(two)} nud permanent`);
      await way.say('nobody');
      await known.arrives('known');
    });
    expect(way.heard()).toBe('');
  });
});

describe('what is translated', () => {
  it('leaves only by an address that the machine holds there', async () => {
    const { net } = await routers.tenant('10.83.0.0/24');
    const a = await joined.guest(0, net, 11, [open]);
    const way = await wayOf(a.namespace, joined.outside, WORLD);
    const held = `${bridge(routers.outside)} . ${SNAT[0]}`;
    await joined.host(0).machine.whileStopped(async () => {
      expect(await heardOf(way, 'delete', 'held', held)).toBe('before afterwards ');
    });
  });

  it('goes through a floating IP only while it is that guest’s, in and out', async () => {
    const { net, routerId } = await routers.tenant('10.84.0.0/24');
    const a = await joined.guest(0, net, 11, [open]);
    const address = '203.0.113.190';
    await routers.float(address, a, routerId);
    const ways = [
      await wayOf(a.namespace, joined.outside, WORLD),
      await wayOf(joined.outside, a.namespace, address),
    ] as const;
    await joined.host(0).machine.whileStopped(async () => {
      for (const way of ways)
        expect(await heardOf(way, 'delete', 'translated', `${address} . ${a.address}`)).toBe('before afterwards ');
    });
  });
});

describe('an answer of the world', () => {
  it('reaches a guest only while a router joins its network with the world', async () => {
    const { net } = await routers.tenant('10.88.0.0/24');
    const a = await joined.guest(0, net, 11, [open]);
    const port = ports++;
    const say = (from: Namespace, to: string, word: string) =>
      from.node(`const s = require('node:dgram').createSocket('udp4');
        s.bind(${port}, () => s.send('${word} ', ${port}, '${to}', () => s.close()));`);
    await say(a.namespace, WORLD, 'question');
    const { heard } = await a.namespace.listenUdp(port);
    const passable = `${bridge(net)} . ${bridge(routers.outside)}`;
    await joined.host(0).machine.whileStopped(async () => {
      await element('delete', 'passable', passable);
      await say(joined.outside, SNAT[0] ?? '', 'meanwhile');
      await element('add', 'passable', passable);
      await say(joined.outside, SNAT[0] ?? '', 'afterwards');
    });
    await eventually('the answer', async () => heard().includes('afterwards'));
    expect(heard()).not.toContain('meanwhile');
  });
});

describe('what is not translated', () => {
  it('leaves nobody by its own address, and asks no floating IP, where the router has no address of the world', async () => {
    const net = await routers.network('10.85.0.0/24');
    const routerId = await routers.router([net], {}, { snat_ip: null });
    const a = await joined.guest(0, net, 11, [open]);
    const { net: theirs, routerId: theirRouter } = await routers.tenant('10.86.0.0/24');
    const asked = await joined.guest(0, theirs, 11, [open]);
    const address = '203.0.113.191';
    await routers.float(address, asked, theirRouter);
    const out = await wayOf(a.namespace, joined.outside, WORLD);
    const back = await wayOf(a.namespace, asked.namespace, address);
    for (const way of [out, back]) await way.say('closed');
    await routers.router([net], { id: routerId });
    for (const way of [out, back]) await way.arrives('opened');
    for (const way of [out, back]) expect(way.heard()).toBe('opened ');
  });

  it('is nothing of the machine’s, though it has the address', async () => {
    await routers.tenant('10.87.0.0/24');
    const ping = (address: string, s: number) => joined.outside.does(`busybox ping -c1 -W${s} ${address}`);
    expect(await ping(joined.host(0).address, 30)).toBe(true);
    expect(await joined.outside.does(`arping -c1 -w30 -i cable ${SNAT[0]}`)).toBe(true);
    expect(await ping(SNAT[0] ?? '', 1)).toBe(false);
  });
});
