import { afterAll, beforeAll, expect, it } from 'vitest';
import { type JoinedHosts, WORLD } from './joined-hosts.ts';
import { CURL, CURL_BRIEFLY, JoinedRouters, SNAT } from './joined-routers.ts';
import { eventually } from './namespaces.ts';

/* One address of the world for many guests: one machine holds it, the guests are on any. */

let routers: JoinedRouters;
let joined: JoinedHosts;
let open: string;
beforeAll(async () => {
  routers = await JoinedRouters.open('aeforw', 2);
  joined = routers.joined;
  open = routers.open.id;
});
afterAll(() => joined.close());

/** Two guests on two machines behind one address, each with its port 80; the first machine holds it. */
async function twoBehind(address: string, cidr: string, change: Parameters<JoinedRouters['network']>[1] = {}) {
  const net = await routers.network(cidr, change);
  const routerId = await routers.router([net]);
  const [a, b] = [await joined.guest(0, net, 11, [open]), await joined.guest(1, net, 12, [open])];
  await a.namespace.serve(80, 'a');
  await b.namespace.serve(80, 'b');
  const toA = await routers.forward(address, 0, a, routerId, {
    external_ports: [8080, 8080],
    internal_ports: [80, 80],
  });
  const toB = await routers.forward(address, 0, b, routerId, {
    external_ports: [8081, 8081],
    internal_ports: [80, 80],
  });
  return { net, routerId, a, b, toA, toB };
}

const both = async (from: { sh(line: string): Promise<string> }, address: string) => [
  await from.sh(`${CURL} ${address}:8080`),
  await from.sh(`${CURL} ${address}:8081`),
];

it('leads to guests of every machine, who see who asks, and nowhere else', async () => {
  const address = '203.0.113.150';
  const { a, b, net } = await twoBehind(address, '10.40.0.0/24');
  expect(await both(joined.outside, address)).toEqual([`a ${WORLD}`, `b ${WORLD}`]);
  expect(await joined.outside.does(`${CURL_BRIEFLY} ${address}:80`)).toBe(false);
  // What the guests themselves ask leaves by their own machine, from any port but the forwarded.
  expect(await b.namespace.sh(`${CURL} ${WORLD}`)).toBe(`world ${SNAT[1]}`);
  // And their neighbors reach them as before, by the address of the world, too.
  const [nearA, nearB] = [await joined.guest(0, net, 13, [open]), await joined.guest(1, net, 14, [open])];
  expect(await nearA.namespace.sh(`${CURL} ${b.address}`)).toBe(`b ${nearA.address}`);
  for (const [index, near] of [nearA, nearB].entries()) {
    expect(await both(near.namespace, address)).toEqual([`a ${SNAT[index]}`, `b ${SNAT[index]}`]);
  }
  expect(await both(a.namespace, address)).toEqual([`a ${SNAT[0]}`, `b ${SNAT[0]}`]);
  expect(await both(b.namespace, address)).toEqual([`a ${SNAT[1]}`, `b ${SNAT[1]}`]);
});

it('leaves to routers what their networks ask a forwarded port directly', async () => {
  const { b, net, routerId } = await twoBehind('203.0.113.151', '10.41.0.0/24');
  const other = await routers.network('10.42.0.0/24');
  await routers.router([net, other], { id: routerId });
  for (const index of [0, 1]) {
    const asker = await joined.guest(index, other, 21 + index, [open]);
    expect(await asker.namespace.sh(`${CURL} ${b.address}`)).toBe(`b ${asker.address}`);
  }
  // Without the machine that holds the address, which has nothing to do with it.
  const near = await joined.guest(1, other, 23, [open]);
  await joined.host(0).namespace.sh('ip link set ul0 down');
  expect(await near.namespace.sh(`${CURL} ${b.address}`)).toBe(`b ${near.address}`);
  await joined.host(0).namespace.sh('ip link set ul0 up');
});

it('follows the address to another machine, and ends with the forwarding', async () => {
  const address = '203.0.113.152';
  const { a, b, routerId, toA, toB } = await twoBehind(address, '10.43.0.0/24');
  const ports = { external_ports: [8080, 8080], internal_ports: [80, 80] } as const;
  await routers.forward(address, 1, a, routerId, {
    id: toA,
    ...ports,
    external_ports: [8080, 8080],
    internal_ports: [80, 80],
  });
  await joined.host(0).machine.remove('port-forwarding', toB);
  await routers.forward(address, 1, b, routerId, { id: toB, external_ports: [8081, 8081], internal_ports: [80, 80] });
  expect(await both(joined.outside, address)).toEqual([`a ${WORLD}`, `b ${WORLD}`]);
  await a.namespace.serveTicks(81);
  await routers.forward(address, 1, a, routerId, { id: toA, external_ports: [8080, 8080], internal_ports: [81, 81] });
  const listener = joined.outside.start('curl', '-sSN', `http://${address}:8080/`);
  let heard = 0;
  listener.stdout?.on('data', (chunk: Buffer) => {
    heard += chunk.length;
  });
  await eventually('ticks', async () => heard > 5);
  for (const { machine } of joined.hosts) await machine.remove('port-forwarding', toA);
  await eventually('silence', async () => {
    const before = heard;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return heard === before;
  });
  expect(await joined.outside.sh(`${CURL} ${address}:8081`)).toBe(`b ${WORLD}`);
});

it('carries datagrams, ranges, and the errors about them', async () => {
  const address = '203.0.113.153';
  const { b, routerId } = await twoBehind(address, '10.44.0.0/24');
  const ports = { protocol: 'udp', external_ports: [5000, 5002], internal_ports: [6000, 6002] } as const;
  await routers.forward(address, 0, b, routerId, {
    ...ports,
    external_ports: [5000, 5002],
    internal_ports: [6000, 6002],
  });
  const listener = await b.namespace.listenUdp(6001);
  const say = (port: number) => `
    const s = require('node:dgram').createSocket('udp4');
    s.on('error', (error) => { process.exitCode = error.code === 'ECONNREFUSED' ? 0 : 1; s.close(); });
    s.connect(${port}, '${address}', () => s.send('hello'));
    process.exitCode = 2;
    setTimeout(() => s.close(), 10_000).unref();`;
  await joined.outside.node(`${say(5001)} setTimeout(() => process.exit(0), 500);`);
  await eventually('the datagram', async () => listener.heard().includes('hello'));
  // Nobody listens there, and the guest says so.
  await joined.outside.node(say(5002));
});
