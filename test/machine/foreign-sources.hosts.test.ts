import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gatewayMac } from '../../runner/network/names.ts';
import type { NetworkSpec } from '../../shared/specs/network.ts';
import { ip, udp } from './frames.ts';
import { WORLD } from './joined-hosts.ts';
import { JoinedRouters } from './joined-routers.ts';
import { eventually } from './namespaces.ts';
import { arrived, type Speaker, v4, v6 } from './said.ts';
import { networkOf, withIpv6 } from './specs.ts';

/*
 * A guest without port security may say any source. Where nobody translates, what leaves the machine is what its network's
 * guests are all the same, or the world would answer somebody else for it.
 */

const FREE = { port_security_enabled: false };
/** The world, by a router and by the machine's own way. */
const WORLD6 = 'fd99::1';
const NEAR6 = 'fd98::1';
const FOREIGN = { 4: '198.51.100.9', 6: '2001:db8:9::9' };

let routers: JoinedRouters;
let world: Speaker;
beforeAll(async () => {
  routers = await JoinedRouters.open('aefrgn', 1);
  const { joined } = routers;
  await joined.outside.sh(`sysctl -qw net.ipv6.conf.cable.disable_ipv6=0
    for a in ${WORLD6} ${NEAR6}; do ip addr add $a/64 dev cable nodad; done`);
  await joined.host(0).namespace.sh('ip addr add fd98::2/64 dev up0 nodad');
  world = { namespace: joined.outside, device: 'cable', mac: '', ip4: WORLD };
});
afterAll(() => routers.joined.close());

type Datagrams = Record<string, [from: string, to: string]>;

/** What of a guest's datagrams the world hears, by version and source. */
async function heardOf(net: NetworkSpec, more: Datagrams = {}, world6 = WORLD6): Promise<string[]> {
  const { namespace, port, address, ip6 } = await routers.joined.dualGuest(0, net, 11, [], FREE);
  const guest = { namespace, mac: port.mac_address, ip4: address };
  const gateway = { mac: gatewayMac(net.id) };
  const said = ([from, to]: [string, string]) => {
    const packet = (word: Buffer) => ip(from, to, 17, udp(7, 7, word));
    return (word: Buffer) => (from.includes(':') ? v6 : v4)(guest, gateway, packet(word));
  };
  const heard = (datagrams: Datagrams) =>
    arrived(
      guest,
      { ...world, mac: gateway.mac },
      Object.fromEntries(Object.entries(datagrams).map(([name, ends]) => [name, said(ends)])),
    );
  const own: Datagrams = { 'its own 6': [ip6, world6] };
  // Neighbours are found first, or what is sent meanwhile would come in any order.
  await eventually('its own', async () => (await heard(own)).length === 1);
  return heard({ 'foreign 6': [FOREIGN[6], world6], ...more, ...own });
}

const dual = (cidr: string, cidr6: string, change: Partial<NetworkSpec> = {}) =>
  routers.network(cidr, { subnets: withIpv6(networkOf(cidr), cidr6).subnets, ...change });

describe('a source that is not its network’s leaves by nobody', () => {
  it('by a router', async () => {
    const [net, beside] = [await dual('10.64.0.0/24', 'fd64::/64'), await dual('10.65.0.0/24', 'fd65::/64')];
    await routers.router([net, beside], {}, { next_hops: [WORLD, WORLD6] });
    expect(await heardOf(net, { 'a neighbour’s 6': ['fd65::99', WORLD6] })).toEqual(['a neighbour’s 6', 'its own 6']);
  });

  it('by a router that does not translate', async () => {
    const net = await dual('10.66.0.0/24', 'fd66::/64');
    await routers.router([net], {}, { enable_snat: false, next_hops: [WORLD, WORLD6] });
    await routers.joined.outside.sh('ip route replace 10.66.0.0/24 via 203.0.113.10');
    const sources: Datagrams = { 'its own 4': ['10.66.0.11', WORLD], 'foreign 4': [FOREIGN[4], WORLD] };
    expect(await heardOf(net, sources)).toEqual(['its own 4', 'its own 6']);
  });

  it('by the machine itself', async () => {
    const net = await dual('10.67.0.0/24', 'fd67::/64', { snat: true, host_access: true });
    expect(await heardOf(net, {}, NEAR6)).toEqual(['its own 6']);
  });
});
