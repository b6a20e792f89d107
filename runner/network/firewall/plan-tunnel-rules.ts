import { canonicalAddress, versionOf } from '../addresses.ts';
import type { Inventory } from '../inventory.ts';
import type { ChainPlan, SetPlan } from './ruleset.ts';

/** Of a VXLAN packet: the id stands in the fifth to seventh byte after the UDP header. */
const VXLAN_ID = '@th,96,24';
const VXLAN_PORT = 4789;

/** Sets of the inet table about tunnels: their ids, and the machines that may send through them. */
export function planTunnelSets(inventory: Inventory): Map<string, SetPlan> {
  const set = (type: string): SetPlan => ({ type, elements: new Map() });
  const tunnels = set(`typeof ${VXLAN_ID}`);
  const tunnel_peers4 = set('type ipv4_addr');
  const tunnel_peers6 = set('type ipv6_addr');
  for (const { spec } of inventory.networks.values()) {
    if (spec.segment.type === 'vxlan') tunnels.elements.set(String(spec.segment.id), '');
  }
  const holders = [...inventory.all('port-forwarding').values()].map(({ spec }) => spec.holder_tunnel_ip);
  const neighbors = [...inventory.all('neighbor').values()].map(({ spec }) => spec.tunnel_ip);
  for (const address of [...neighbors, ...holders].filter((ip) => ip !== null).map(canonicalAddress)) {
    (versionOf(address) === 4 ? tunnel_peers4 : tunnel_peers6).elements.set(address, '');
  }
  return new Map(Object.entries({ tunnels, tunnel_peers4, tunnel_peers6 }));
}

/** A guest whose packets leave as the machine's own must not pass for a machine that puts frames into tunnels. */
export const INTO_TUNNELS = `iifname @bridges oifname != @bridges udp dport ${VXLAN_PORT} drop`;

/** Frames come out of our tunnels only where a machine of a neighbor put them in. */
export function tunnelChains(): [string, ChainPlan][] {
  const ours = `udp dport ${VXLAN_PORT} ${VXLAN_ID} @tunnels`;
  return [
    [
      'out_of_tunnels',
      {
        hook: 'type filter hook input priority -10; policy accept;',
        rules: [`${ours} ip saddr != @tunnel_peers4 drop`, `${ours} ip6 saddr != @tunnel_peers6 drop`],
      },
    ],
  ];
}
