import type { NetworkSpec } from '../../shared/specs/network.ts';
import { canonicalAddress, canonicalCidr, isGatewayOf, prefixLengthOf, versionOf } from './addresses.ts';
import { gatewayMac, METADATA_ADDRESS, type Names } from './names.ts';

/** What a network needs of the machine's links and routing. */
export interface BridgePlan {
  name: string;
  alias: string;
  mac: string;
  mtu: number;
  addresses: { address: string; prefixLength: number }[];
  /** Ranges reached through the bridge. */
  routes: { cidr: string; version: 4 | 6; source: string | null }[];
  /** The routing table of packets with the network's mark, or from a socket bound to the bridge. */
  table: number;
  mark: string;
  /** Whether the machine's own processes reach the guests without naming the bridge. */
  hostAccess: boolean;
  /** Orders the machine's own routes where networks overlap: the lowest is the one it reaches. */
  metric: number;
}

/**
 * Plans a network's bridge. Its routes stand in a table of its own, picked by mark, so that networks with the same
 * addresses do not meet.
 */
export function planBridge(names: Names, spec: NetworkSpec, number: number): BridgePlan {
  // An address of another range would become this machine's own, whoever it belongs to.
  const gatewayOf = ({ cidr, gateway_ip }: NetworkSpec['subnets'][number]) =>
    gateway_ip !== null && isGatewayOf(cidr, gateway_ip) ? canonicalAddress(gateway_ip) : null;
  const gateways = spec.subnets.flatMap((subnet) => {
    const address = gatewayOf(subnet);
    return address === null ? [] : [{ address, prefixLength: prefixLengthOf(subnet.cidr) }];
  });
  return {
    name: names.bridge(spec.id),
    alias: names.alias('network', spec.id),
    mac: gatewayMac(spec.id),
    mtu: spec.mtu,
    addresses: [...gateways, { address: METADATA_ADDRESS, prefixLength: 32 }],
    routes: spec.subnets.map((subnet) => ({
      cidr: canonicalCidr(subnet.cidr),
      version: versionOf(canonicalCidr(subnet.cidr).split('/')[0] ?? ''),
      source: gatewayOf(subnet),
    })),
    table: names.routingTable(number),
    mark: names.networkMark(number),
    hostAccess: spec.host_access,
    metric: number,
  };
}
