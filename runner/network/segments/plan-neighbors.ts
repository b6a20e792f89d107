import type { NeighborSpec, PortSpec } from '../../../shared/specs/network.ts';
import type { ForwardingEntry } from '../../host/links.ts';
import { canonicalAddress } from '../addresses.ts';
import type { Names } from '../names.ts';

/** What the kernel has of a network's neighbors. */
export interface KnownNeighbors {
  forwarding: ForwardingEntry[];
  addresses: { address: string; mac: string }[];
}

export interface NeighborChanges {
  /** For `bridge`. */
  forwarding: string[][];
  /** For `ip`, by IP version. */
  addresses: string[][];
}

/**
 * What leads from what the kernel knows to the neighbors that there are. Where a port is here and a neighbor, too, it is on
 * its way: frames go to the neighbor as long as there is one.
 * @param device - the tunnel, or null on a network whose bridges learn by themselves
 */
export function planNeighborChanges(
  at: { names: Names; bridge: string; device: string | null },
  known: KnownNeighbors,
  neighbors: readonly Pick<NeighborSpec, 'mac_address' | 'addresses' | 'tunnel_ip'>[],
  ports: readonly PortSpec[],
): NeighborChanges {
  const addresses = new Map<string, string>();
  const tunnels = new Map<string, string>();
  for (const { mac_address, addresses: all, tunnel_ip } of neighbors) {
    for (const address of all) addresses.set(canonicalAddress(address), mac_address);
    tunnels.set(mac_address, canonicalAddress(tunnel_ip));
  }
  const put = new Map(known.addresses.map(({ address, mac }) => [address, mac]));
  return {
    forwarding: at.device === null ? [] : forwardingChanges({ ...at, device: at.device }, known, tunnels, ports),
    addresses: [
      ...[...put.keys()]
        .filter((address) => !addresses.has(address))
        .map((address) => ['neigh', 'del', address, 'dev', at.bridge]),
      ...[...addresses]
        .filter(([address, mac]) => put.get(address) !== mac)
        .map(([address, mac]) => ['neigh', 'replace', address, 'lladdr', mac, 'dev', at.bridge, 'nud', 'permanent']),
    ],
  };
}

function forwardingChanges(
  { names, device }: { names: Names; device: string },
  { forwarding }: KnownNeighbors,
  tunnels: ReadonlyMap<string, string>,
  ports: readonly PortSpec[],
): string[][] {
  const onBridge = new Set(forwarding.filter(({ dst }) => dst === null).map(({ mac }) => mac));
  const through = new Map(forwarding.flatMap(({ mac, dst }) => (dst === null ? [] : [[mac, dst] as const])));
  const taps = new Map(ports.map((port) => [port.mac_address, names.tap(port.id)]));
  const commands: string[][] = [];
  for (const [mac, dst] of through) {
    if (!tunnels.has(mac)) commands.push(['fdb', 'del', mac, 'dev', device, 'dst', dst, 'self']);
  }
  for (const mac of onBridge) {
    const tap = taps.get(mac);
    if (tunnels.has(mac)) continue;
    if (tap) commands.push(['fdb', 'replace', mac, 'dev', tap, 'master', 'static', 'sticky']);
    else commands.push(['fdb', 'del', mac, 'dev', device, 'master']);
  }
  for (const [mac, dst] of tunnels) {
    if (through.get(mac) !== dst) commands.push(['fdb', 'replace', mac, 'dev', device, 'dst', dst, 'self']);
    if (!onBridge.has(mac)) commands.push(['fdb', 'replace', mac, 'dev', device, 'master', 'static', 'sticky']);
  }
  return commands;
}
