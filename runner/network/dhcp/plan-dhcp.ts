import type { NetworkSpec, PortSpec } from '../../../shared/specs/network.ts';
import { canonicalAddress, netmaskOf, networkAddressOf, prefixLengthOf, versionOf } from '../addresses.ts';
import { optionsOfPort, optionsOfSubnet, type TaggedSubnet, tagOfPort } from './dhcp-options.ts';

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
 * @param at - where it runs; `own` are the gateways that this machine itself is
 */
export function planDhcp(
  network: NetworkSpec,
  ports: readonly PortSpec[],
  at: { bridge: string; folder: string; own: readonly string[] },
): DhcpPlan | null {
  const subnets = network.subnets
    .filter((subnet) => subnet.enable_dhcp)
    .map((subnet, index) => ({ ...subnet, tag: `subnet${index}` }));
  if (subnets.length === 0) return null;
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
    ...(subnets.some((subnet) => advertises(subnet, at.own)) ? ['enable-ra'] : []),
    ...subnets.flatMap((subnet) => [
      rangeOf(subnet, at.own),
      // Without a router the bridge has no address in the subnet, by which dnsmasq would know it.
      ...(subnet.ip_version === 4 ? [`shared-network=${at.bridge},${networkAddressOf(subnet.cidr)}`] : []),
    ]),
  ];
  const options = [...subnets.flatMap((subnet) => optionsOfSubnet(subnet, at.own)), `option:mtu,${network.mtu}`];
  const leased = subnets.filter(leasesAddresses).map((subnet) => subnet.id);
  return {
    config: lines(config),
    hosts: lines(ports.flatMap((port) => hostLines(port, leased))),
    options: lines([...ports.flatMap(optionsOfPort), ...options]),
  };
}

const lines = (all: string[]): string => all.map((line) => `${line}\n`).join('');

/** Whether a subnet's guests ask for their addresses; others make them of the prefix and their MAC address. */
const leasesAddresses = (subnet: TaggedSubnet) => {
  const mode = subnet.ipv6_address_mode ?? subnet.ipv6_ra_mode;
  return subnet.ip_version === 4 || mode === null || mode === 'dhcpv6-stateful';
};

/** Only a router advertises itself. Where the mode says so another one does, that is not ours. */
const advertises = (subnet: TaggedSubnet, own: readonly string[]) =>
  subnet.ip_version === 6 &&
  (subnet.ipv6_ra_mode !== null || subnet.ipv6_address_mode === null) &&
  subnet.gateway_ip !== null &&
  own.includes(canonicalAddress(subnet.gateway_ip));

function rangeOf(subnet: TaggedSubnet, own: readonly string[]): string {
  const first = networkAddressOf(subnet.cidr);
  if (subnet.ip_version === 4)
    return `dhcp-range=set:${subnet.tag},${first},static,${netmaskOf(subnet.cidr)},${LEASE_S}s`;
  const mode = leasesAddresses(subnet) ? 'static' : modeWithoutLeases(subnet, own);
  return `dhcp-range=set:${subnet.tag},${first},${mode},${prefixLengthOf(subnet.cidr)},${LEASE_S}s`;
}

function modeWithoutLeases(subnet: TaggedSubnet, own: readonly string[]): string {
  if (!advertises(subnet, own)) return 'static';
  return (subnet.ipv6_address_mode ?? subnet.ipv6_ra_mode) === 'slaac' ? 'ra-only' : 'ra-stateless';
}

/** Words that dnsmasq takes for something else where a host's name may stand: to ignore it, or its lease's time. */
const MEANS_ELSE = /^(ignore|infinite|\d+[wdhms]?)$/;

/** A line each for the port's first IPv4 address and its IPv6 addresses: dnsmasq gives one of each kind at a time. */
function hostLines(port: PortSpec, subnetIds: string[]): string[] {
  const addresses = port.fixed_ips
    .filter((fixed) => subnetIds.includes(fixed.subnet_id))
    .map((fixed) => canonicalAddress(fixed.ip_address));
  const name = port.hostname === null || MEANS_ELSE.test(port.hostname) ? '' : `,${port.hostname}`;
  const tag = port.extra_dhcp_opts.length > 0 ? `,set:${tagOfPort(port)}` : '';
  const ipv4 = addresses.filter((address) => versionOf(address) === 4).slice(0, 1);
  const ipv6 = addresses.filter((address) => versionOf(address) === 6).map((address) => `[${address}]`);
  return [...ipv4, ...ipv6].map((address) => `${port.mac_address}${tag},${address}${name}`);
}
