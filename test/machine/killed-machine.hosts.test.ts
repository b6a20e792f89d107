import { afterAll, beforeAll, expect, it } from 'vitest';
import type { NetworkSpec } from '../../shared/specs/network.ts';
import { JoinedHosts, WORLD } from './joined-hosts.ts';
import { groupOf, networkOf, ruleOf } from './specs.ts';

/* Every machine serves its own guests: what becomes of another is nothing to them. */

const pings = (address: string) => `busybox ping -c1 -W30 ${address}`;
const COUNTED_PINGS = 30;
const CABLES = 'ph0 up0 ul0 ext0';

let joined: JoinedHosts;
const open = groupOf(ruleOf());
beforeAll(async () => {
  joined = await JoinedHosts.open('aekill', 2);
  await joined.applyEverywhere('security-group', open.id, open);
});
afterAll(() => joined.close());

it.each<[string, string, Partial<NetworkSpec>]>([
  ['flat', '10.21.0.0/24', { segment: { type: 'flat', physical_network: 'cables' }, mtu: 1500 }],
  ['VXLAN', '10.22.0.0/24', { segment: { type: 'vxlan', id: 2200 } }],
])('guests of a %s network feel neither the end of another machine’s runner nor its own', async (_, cidr, change) => {
  const net = networkOf(cidr, change);
  await joined.applyEverywhere('network', net.id, net);
  const [a, b] = [await joined.guest(0, net, 11, [open.id]), await joined.guest(1, net, 12, [open.id])];
  await a.namespace.sh(pings(b.address));
  const whileThat = async (address: string, what: () => Promise<unknown>) => {
    const counted = b.namespace.sh(`busybox ping -c${COUNTED_PINGS} -i 0.1 -W5 ${address}`);
    await what();
    expect(await counted).toContain(`${COUNTED_PINGS} packets received`);
  };
  await b.namespace.sh(pings(WORLD));
  const { machine, namespace } = joined.host(0);
  await whileThat(a.address, () => machine.kill());
  await whileThat(WORLD, () => namespace.sh(`for l in ${CABLES}; do ip link set $l down; done`));
  expect(await b.namespace.does(`busybox ping -c1 -W1 ${a.address}`)).toBe(false);
  await namespace.sh(`for l in ${CABLES}; do ip link set $l up; done; ip route replace default via ${WORLD}`);
  await joined.reopen(0);
  await b.namespace.sh(pings(a.address));
  for (const guest of [a, b]) await joined.removeGuest(guest);
});
