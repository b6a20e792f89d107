import { afterAll, beforeAll, expect, it } from 'vitest';
import { gatewayMac } from '../../runner/network/names.ts';
import type { NetworkSpec } from '../../shared/specs/network.ts';
import { ip, udp } from './frames.ts';
import type { JoinedHosts } from './joined-hosts.ts';
import { JoinedRouters } from './joined-routers.ts';
import { arrived, type Speaker, v4, v6 } from './said.ts';
import { groupOf, networkOf, ruleOf, withIpv6 } from './specs.ts';

/* Two tenants of the same addresses on one machine: what one's guests say to each other opens nothing to the other's. */

type Guest = Speaker & { ip6: string; gateway: { mac: string } };
let routers: JoinedRouters;
let joined: JoinedHosts;
const open = groupOf(ruleOf(), ruleOf({ ethertype: 'IPv6' }));
/** Lets in what says that all others had their time. */
const almostClosed = groupOf(ruleOf({ protocol: 17, port_range_min: 9, port_range_max: 9 }));
beforeAll(async () => {
  routers = await JoinedRouters.open('aesame', 1);
  joined = routers.joined;
  for (const group of [open, almostClosed]) await joined.applyEverywhere('security-group', group.id, group);
});
afterAll(() => joined.close());

function dual(cidr: string, cidr6: string): Promise<NetworkSpec> {
  const { subnets } = withIpv6(networkOf(cidr), cidr6);
  return routers.network(cidr, { subnets: subnets.map((subnet) => ({ ...subnet, enable_dhcp: false })) });
}

async function guest(net: NetworkSpec, offset: number, group: string): Promise<Guest> {
  const { namespace, port, address: ip4, ip6 } = await joined.dualGuest(0, net, offset, [group]);
  // The gateway knows it then, by either version: nothing of what follows waits until it does.
  for (const { gateway_ip } of net.subnets) await namespace.does(`ping -c1 -W1 ${gateway_ip}`);
  return { namespace, mac: port.mac_address, ip4, ip6, gateway: { mac: gatewayMac(net.id) } };
}

/** One who hears almost nothing unasked, a neighbor and one behind the router. */
async function tenant() {
  const [near, far] = [await dual('10.90.0.0/24', 'fd90::/64'), await dual('10.91.0.0/24', 'fd91::/64')];
  await routers.router([near, far], { gateway: null });
  return {
    closed: await guest(near, 11, almostClosed.id),
    near: await guest(near, 12, open.id),
    far: await guest(far, 12, open.id),
  };
}

/** Who is reached by a gateway. */
const by = ({ mac }: { mac: string }, guest: Guest): Guest => ({ ...guest, mac });
const datagrams = (from: Guest, to: Guest, ports: [number, number]) => ({
  IPv4: (word: Buffer) => v4(from, to, ip(from.ip4, to.ip4, 17, udp(...ports, word))),
  IPv6: (word: Buffer) => v6(from, to, ip(from.ip6, to.ip6, 17, udp(...ports, word))),
});

it('tells their connections apart, between neighbors and through routers, by either version', async () => {
  const [mine, theirs] = [await tenant(), await tenant()];
  const asks = async ({ closed, near, far }: typeof mine) => [
    await arrived(closed, near, datagrams(closed, near, [7, 8])),
    await arrived(closed, by(closed.gateway, far), datagrams(closed, by(closed.gateway, far), [7, 8])),
  ];
  const answers = async ({ closed, near, far }: typeof mine) => [
    await arrived(near, closed, datagrams(near, closed, [8, 7])),
    await arrived(far, by(far.gateway, closed), datagrams(far, by(far.gateway, closed), [8, 7])),
  ];
  const both = ['IPv4', 'IPv6'];
  expect(await asks(theirs)).toEqual([both, both]);
  expect(await answers(mine)).toEqual([[], []]);
  expect(await answers(theirs)).toEqual([both, both]);
});
