import { afterAll, beforeAll, expect, it } from 'vitest';
import { JoinedHosts, WORLD } from './joined-hosts.ts';
import { groupOf, networkOf } from './specs.ts';

/* The cables of machines in namespaces, which other tests stand on. */

let joined: JoinedHosts;
beforeAll(async () => {
  joined = await JoinedHosts.open('aejoin', 2);
});
afterAll(() => joined.close());

it('joins machines by an underlay, cables without addresses and the world, of which guests reach what they may', async () => {
  const [a, b] = [joined.host(0), joined.host(1)];
  await a.namespace.sh(`busybox ping -c1 -W30 ${b.tunnelIp}`);
  expect(await b.namespace.sh(`curl -sS -m 30 ${WORLD}`)).toBe(`world ${b.address}`);
  expect(await a.namespace.sh('ip -4 -o addr show dev ph0; ip -4 -o addr show dev ext0')).toBe('');
  const group = groupOf();
  const net = networkOf('10.1.0.0/24');
  await joined.applyEverywhere('security-group', group.id, group);
  await joined.applyEverywhere('network', net.id, net);
  const guest = await joined.guest(0, net, 11, [group.id]);
  expect(await guest.namespace.sh(`curl -sS -m 30 ${WORLD}`)).toBe(`world ${a.address}`);
  await joined.moveGuest(guest, 1);
  expect(await guest.namespace.sh(`curl -sS -m 30 ${WORLD}`)).toBe(`world ${b.address}`);
  await joined.removeGuest(guest);
});
