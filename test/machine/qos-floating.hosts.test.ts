import { afterAll, beforeAll, expect, it } from 'vitest';
import { qosOf } from '../../runner/testing/specs.ts';
import type { NetworkSpec } from '../../shared/specs/network.ts';
import { expectFree, expectLimited, FLOOD_PORT, type Flood, KBPS, measure } from './floods.ts';
import { type CheapGuest, type JoinedHosts, WORLD } from './joined-hosts.ts';
import { JoinedRouters } from './joined-routers.ts';

/* What floating IPs send and receive by the policies of QoS. */

const BOTH = qosOf({ egress_kbps: KBPS, ingress_kbps: KBPS });

let routers: JoinedRouters;
let joined: JoinedHosts;
let open: string;
let inside: { net: NetworkSpec; routerId: string };
beforeAll(async () => {
  routers = await JoinedRouters.open('aeqosf', 2);
  joined = routers.joined;
  open = routers.open.id;
  inside = await routers.tenant('10.50.0.0/24');
});
afterAll(() => joined.close());

const fromWorld = (to: string): Flood => ({ from: joined.outside, to, seenAs: WORLD });
const toWorld = ({ namespace }: CheapGuest, seenAs: string): Flood => ({ from: namespace, to: WORLD, seenAs });

it('a floating IP is held to its rates both ways, whoever is on the other side, and others are not', async () => {
  const [limited, other] = ['203.0.113.160', '203.0.113.161'];
  const { net, routerId } = inside;
  const [a, b] = [await joined.guest(0, net, 11, [open]), await joined.guest(0, net, 12, [open])];
  const id = await routers.float(limited, a, routerId, { qos: BOTH });
  await routers.float(other, b, routerId);
  const into = await measure(a.namespace, fromWorld(limited));
  expectLimited(into.bytes[0], into.s);
  const out = await measure(joined.outside, toWorld(a, limited), toWorld(b, other));
  expectLimited(out.bytes[0], out.s);
  expectFree(out.bytes[1]);
  const near = await measure(a.namespace, { from: b.namespace, to: limited, seenAs: other });
  expectLimited(near.bytes[0], near.s);
  await routers.float(limited, a, routerId, { id, qos: qosOf({ ingress_kbps: KBPS / 4 }) });
  const [less, freed] = await Promise.all([
    measure(a.namespace, fromWorld(limited)),
    measure(joined.outside, toWorld(a, limited)),
  ]);
  expectLimited(less.bytes[0], less.s, KBPS / 4);
  expectFree(freed.bytes[0]);
  await routers.float(limited, a, routerId, { id });
  expectFree((await measure(a.namespace, fromWorld(limited))).bytes[0]);
  const rules = 'nft list table inet aeqosf | grep -e floating_ingress -e floating_egress';
  expect(await joined.host(0).namespace.does(rules)).toBe(false);
});

it('a guest that has such an address at home is not slowed', async () => {
  const address = '203.0.113.162';
  await routers.float(address, await joined.guest(0, inside.net, 13, [open]), inside.routerId, { qos: BOTH });
  const home = await routers.tenant('203.0.113.0/24');
  const [a, b] = [await joined.guest(0, home.net, 162, [open]), await joined.guest(0, home.net, 163, [open])];
  const [there, back] = await Promise.all([
    measure(b.namespace, { from: a.namespace, to: b.address, seenAs: address }),
    measure(a.namespace, { from: b.namespace, to: address, seenAs: b.address }),
  ]);
  expectFree(there.bytes[0]);
  expectFree(back.bytes[0]);
});

it('forwarded ports of one address are held to its rates together, wherever the guest is', async () => {
  const address = '203.0.113.163';
  const net = await routers.network('10.52.0.0/24');
  const routerId = await routers.router([net]);
  const far = await joined.guest(1, net, 12, [open]);
  const ports: [number, number] = [FLOOD_PORT, FLOOD_PORT];
  const change = { protocol: 'udp' as const, external_ports: ports, internal_ports: ports, qos: BOTH };
  await routers.forward(address, 0, far, routerId, change);
  const into = await measure(far.namespace, fromWorld(address));
  expectLimited(into.bytes[0], into.s);
  const out = await measure(joined.outside, toWorld(far, address));
  expectLimited(out.bytes[0], out.s);
});
