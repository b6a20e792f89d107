import type { NetworkSpec } from '../../shared/specs/network.ts';
import { canonicalCidr, isLinkLocal, versionOf } from './addresses.ts';
import { gatewayMac, METADATA_ADDRESS, type Names } from './names.ts';
import type { OwnAddress } from './routers/own-addresses.ts';

/** What a network needs of the machine's links and routing. */
export interface BridgePlan {
  name: string;
  alias: string;
  /** Null: one of its own, that other machines do not have. */
  mac: string | null;
  mtu: number;
  /** Those of scope `host` are never the sender of what the machine asks. */
  addresses: { address: string; prefixLength: number; scope?: 'host' }[];
  /** Ranges reached through the bridge. */
  routes: { cidr: string; version: 4 | 6; source: string | null }[];
  /** Of the addresses, those that are the machine's for this network's packets only: a tenant chose them. */
  local: string[];
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
export function planBridge(names: Names, spec: NetworkSpec, number: number, own: readonly OwnAddress[]): BridgePlan {
  return {
    name: names.bridge(spec.id),
    alias: names.alias('network', spec.id),
    mac: spec.external ? null : gatewayMac(spec.id),
    mtu: spec.mtu,
    addresses: [
      ...own.map(({ address, prefixLength }) => ({ address, prefixLength })),
      { address: METADATA_ADDRESS, prefixLength: 32, ...(spec.external ? { scope: 'host' as const } : {}) },
    ],
    routes: spec.subnets.map((subnet) => ({
      cidr: canonicalCidr(subnet.cidr),
      version: versionOf(canonicalCidr(subnet.cidr).split('/')[0] ?? ''),
      source: own.find((one) => one.subnet_id === subnet.id)?.address ?? null,
    })),
    local: spec.external ? [] : own.map(({ address }) => address).filter((address) => !isLinkLocal(address)),
    table: names.routingTable(number),
    mark: names.networkMark(number),
    hostAccess: spec.host_access,
    metric: number,
  };
}
