import type { NetworkSpec, PortSpec } from '../../../shared/specs/network.ts';
import {
  canonicalAddress,
  canonicalCidr,
  netmaskOf,
  networkAddressOf,
  prefixLengthOf,
  versionOf,
} from '../addresses.ts';
import { METADATA_ADDRESS } from '../names.ts';

/** Neutron's default. */
const LEASE_S = 86_400;
/** Who dnsmasq becomes once its sockets are open. */
const DAEMON_USER = 'nobody';

export interface DhcpPlan {
  /** Read when the daemon starts. */
  config: string;
  /** Read again on SIGHUP. */
  hosts: string;
  options: string;
}

/**
 * Plans the DHCP service of a network: fixed addresses only, so that nobody without a port is answered. Null where no
 * subnet has DHCP.
 */
export function planDhcp(
  network: NetworkSpec,
  ports: readonly PortSpec[],
  at: { bridge: string; folder: string },
): DhcpPlan | null {
  const subnets = network.subnets
    .filter((subnet) => subnet.enable_dhcp)
    .map((subnet, index) => ({ ...subnet, tag: `subnet${index}` }));
  if (subnets.length === 0) return null;
  const hasIpv6 = subnets.some((subnet) => subnet.ip_version === 6);
  const config = [
    'port=0',
    `interface=${at.bridge}`,
    'except-interface=lo',
    'bind-interfaces',
    `user=${DAEMON_USER}`,
    'no-ping',
    'no-resolv',
    'no-hosts',
    'dhcp-authoritative',
    'quiet-dhcp',
    'quiet-dhcp6',
    'quiet-ra',
    'log-facility=-',
    'pid-file=',
    `dhcp-leasefile=${at.folder}/leases`,
    `dhcp-hostsfile=${at.folder}/hosts`,
    `dhcp-optsfile=${at.folder}/options`,
    ...(hasIpv6 ? ['enable-ra'] : []),
    ...subnets.flatMap((subnet) => [
      rangeOf(subnet),
      // Without a gateway the bridge has no address in the subnet, by which dnsmasq would know it.
      ...(subnet.gateway_ip === null && subnet.ip_version === 4
        ? [`shared-network=${at.bridge},${networkAddressOf(subnet.cidr)}`]
        : []),
    ]),
  ];
  const options = subnets.flatMap((subnet) => (subnet.ip_version === 4 ? optionsIpv4(subnet) : optionsIpv6(subnet)));
  options.push(`option:mtu,${network.mtu}`);
  return {
    config: lines(config),
    hosts: lines(
      ports.flatMap((port) =>
        hostLines(
          port,
          subnets.map((subnet) => subnet.id),
        ),
      ),
    ),
    options: lines(options),
  };
}

type TaggedSubnet = NetworkSpec['subnets'][number] & { tag: string };

const lines = (all: string[]): string => all.map((line) => `${line}\n`).join('');

function rangeOf(subnet: TaggedSubnet): string {
  const first = networkAddressOf(subnet.cidr);
  const size = subnet.ip_version === 4 ? netmaskOf(subnet.cidr) : prefixLengthOf(subnet.cidr);
  return `dhcp-range=set:${subnet.tag},${first},static,${size},${LEASE_S}s`;
}

function optionsIpv4(subnet: TaggedSubnet): string[] {
  const gateway = subnet.gateway_ip === null ? null : canonicalAddress(subnet.gateway_ip);
  const routes = [
    ...subnet.host_routes.map((route) => `${canonicalCidr(route.destination)},${canonicalAddress(route.nexthop)}`),
    `${METADATA_ADDRESS}/32,${gateway ?? '0.0.0.0'}`,
    // Clients that take these routes ignore the router option (RFC 3442).
    ...(gateway === null ? [] : [`0.0.0.0/0,${gateway}`]),
  ].join(',');
  const servers = subnet.dns_nameservers.map(canonicalAddress).filter((address) => versionOf(address) === 4);
  return [
    `tag:${subnet.tag},option:router${gateway === null ? '' : `,${gateway}`}`,
    `tag:${subnet.tag},option:classless-static-route,${routes}`,
    ...(servers.length > 0 ? [`tag:${subnet.tag},option:dns-server,${servers.join(',')}`] : []),
  ];
}

function optionsIpv6(subnet: TaggedSubnet): string[] {
  const servers = subnet.dns_nameservers.map(canonicalAddress).filter((address) => versionOf(address) === 6);
  if (servers.length === 0) return [];
  return [`tag:${subnet.tag},option6:dns-server,${servers.map((address) => `[${address}]`).join(',')}`];
}

/** Words that dnsmasq takes for something else where a host's name may stand: to ignore it, or its lease's time. */
const MEANS_ELSE = /^(ignore|infinite|\d+[wdhms]?)$/;

/** A line each for the port's first IPv4 address and its IPv6 addresses: dnsmasq gives one of each kind at a time. */
function hostLines(port: PortSpec, subnetIds: string[]): string[] {
  const addresses = port.fixed_ips
    .filter((fixed) => subnetIds.includes(fixed.subnet_id))
    .map((fixed) => canonicalAddress(fixed.ip_address));
  const name = port.hostname === null || MEANS_ELSE.test(port.hostname) ? '' : `,${port.hostname}`;
  const ipv4 = addresses.filter((address) => versionOf(address) === 4).slice(0, 1);
  const ipv6 = addresses.filter((address) => versionOf(address) === 6).map((address) => `[${address}]`);
  return [...ipv4, ...ipv6].map((address) => `${port.mac_address},${address}${name}`);
}
