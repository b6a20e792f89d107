import type { AllocationPool } from '../../../db/schema/network.ts';
import {
  addressAt,
  type Cidr,
  contains,
  lastOf,
  offsetOf,
  overlaps,
  parseCidr,
  parseIp,
} from '../../../shared/cidr.ts';
import { badRequest } from '../../http/errors.ts';
import { invalidInput } from '../api/values.ts';
import { checkedPools, defaultPools, type PoolRange } from '../ipam/pools.ts';

/** What of a subnet can be wrong with respect to the rest of it. */
export interface SubnetShape {
  ip_version: 4 | 6;
  cidr: string;
  gateway_ip?: string | null | undefined;
  allocation_pools?: PoolRange[] | undefined;
  dns_nameservers?: string[] | undefined;
  host_routes?: { destination: string; nexthop: string }[] | undefined;
  enable_dhcp: boolean;
}

export interface SubnetPlan {
  cidr: string;
  gatewayIp: string | null;
  allocationPools: AllocationPool[];
}

/** The longest prefixes that leave DHCP an address to give. */
const DHCP_PREFIX_MAX = { 4: 30, 6: 126 } as const;

/**
 * The range, gateway and pools of a new subnet; the gateway is its first address unless named (null: none).
 * @throws ApiError 400 or 409 for what does not fit together
 */
export function planSubnet(shape: SubnetShape): SubnetPlan {
  const cidr = parsed(shape.cidr);
  checkVersion(shape.ip_version, shape.cidr, 'cidr');
  checkRange(cidr, shape.enable_dhcp);
  checkGuestSettings(shape);
  const gatewayIp = shape.gateway_ip === undefined ? addressAt(cidr, 1) : shape.gateway_ip;
  if (gatewayIp !== null) checkGateway(cidr, gatewayIp);
  const pools = shape.allocation_pools;
  return {
    cidr: shape.cidr,
    gatewayIp,
    allocationPools: pools === undefined ? defaultPools(cidr, gatewayIp) : checkedPools(cidr, gatewayIp, pools),
  };
}

/** @throws ApiError 400 name servers or routes of another IP version */
export function checkGuestSettings(shape: Pick<SubnetShape, 'ip_version' | 'dns_nameservers' | 'host_routes'>): void {
  for (const server of shape.dns_nameservers ?? []) checkVersion(shape.ip_version, server, 'dns_nameserver');
  for (const route of shape.host_routes ?? []) {
    checkVersion(shape.ip_version, route.nexthop, 'nexthop');
    checkVersion(shape.ip_version, route.destination, 'destination');
  }
}

/**
 * A gateway is an address of its subnet, or link-local: hosts answer for it, so it must not be somebody else's.
 * @throws ApiError 400 of another IP version, outside of the subnet, or the network's or broadcast address
 */
export function checkGateway(cidr: Cidr, gatewayIp: string): void {
  checkVersion(cidr.version, gatewayIp, 'gateway_ip');
  const gateway = parseIp(gatewayIp);
  if (cidr.version === 6 && overlaps(parsed(LINK_LOCAL), parsed(gatewayIp))) return;
  if (!gateway || !contains(cidr, gateway)) throw invalidInput(`Gateway ${gatewayIp} is not valid on subnet`);
  if (cidr.version === 6) return;
  const offset = offsetOf(cidr, gateway);
  if (offset === 0n || gateway.value === lastOf(cidr)) throw invalidInput('Gateway is not valid on subnet');
}

/** @throws ApiError 400 where a network has a subnet with some of these addresses */
export function refuseOverlap(networkId: string, cidr: string, others: string[]): void {
  const range = parsed(cidr);
  if (others.some((other) => overlaps(range, parsed(other)))) {
    throw invalidInput(`Requested subnet with cidr: ${cidr} for network: ${networkId} overlaps with another subnet`);
  }
}

/** Another subnet of the network, as far as it matters for a new one. */
export interface Neighbour {
  networkId: string;
  cidr: string;
  ipVersion: number;
  subnetpoolId: string | null;
  scopeId: string | null;
  /** Each port of the network has an address in it. */
  auto: boolean;
}

/**
 * The subnets of a network and IP version are all in one address scope, or all of one pool, or of none.
 * @throws ApiError 400 where they would not be
 */
export function refuseOtherPools(
  neighbours: Neighbour[],
  ipVersion: number,
  pool: { id: string; addressScopeId: string | null } | null,
): void {
  const alike = neighbours.filter((one) => one.ipVersion === ipVersion);
  const scope = alike.find((one) => one.scopeId !== null)?.scopeId;
  if (scope && pool && pool.addressScopeId !== scope) {
    throw badRequest(
      'Subnets of the same address family hosted on the same network must all participate in the same address scope.',
      'NetworkAddressScopeAffinityError',
    );
  }
  const strange = alike.some((one) => (pool ? one.subnetpoolId !== pool.id && !scope : one.subnetpoolId !== null));
  if (!strange) return;
  throw badRequest(
    'Subnets hosted on the same network must be allocated from the same subnet pool.',
    'NetworkSubnetPoolAffinityError',
  );
}

/** A range that the attributes or the database vouch for. */
export function parsed(cidr: string): Cidr {
  const range = parseCidr(cidr);
  if (!range) throw invalidInput(`${cidr} is not in a CIDR format`);
  return range;
}

const LINK_LOCAL = 'fe80::/10';
const LOOPBACK = { 4: '127.0.0.0/8', 6: '::1/128' } as const;
const MULTICAST = { 4: '224.0.0.0/4', 6: 'ff00::/8' } as const;

function checkRange(cidr: Cidr, dhcp: boolean): void {
  if (cidr.prefix === 0) throw invalidInput('0 is not allowed as CIDR prefix length');
  if (cidr.version === 6 && cidr.base === 0n) throw invalidInput("IPv6 subnet '::' is not supported");
  if (!dhcp) return;
  if (cidr.prefix > DHCP_PREFIX_MAX[cidr.version]) {
    throw invalidInput('Subnet has a prefix length that is incompatible with DHCP service enabled');
  }
  if (overlaps(cidr, parsed(MULTICAST[cidr.version]))) {
    throw invalidInput('Multicast IP subnet is not supported if enable_dhcp is True');
  }
  if (overlaps(cidr, parsed(LOOPBACK[cidr.version]))) {
    throw invalidInput('Loopback IP subnet is not supported if enable_dhcp is True');
  }
  if (cidr.version === 4 && cidr.base === 0n) {
    throw invalidInput("First IP '0.0.0.0' of network is not supported if enable_dhcp is True.");
  }
}

function checkVersion(version: 4 | 6, address: string, name: string): void {
  if (parseCidr(address)?.version === version) return;
  throw invalidInput(`${name} '${address}' does not match the ip_version '${version}'`);
}
