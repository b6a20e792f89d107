import type { NetworkSpec, PortSpec } from '../../../shared/specs/network.ts';
import { canonicalAddress, canonicalCidr, versionOf } from '../addresses.ts';
import { METADATA_ADDRESS } from '../names.ts';

export type TaggedSubnet = NetworkSpec['subnets'][number] & { tag: string };

/** Options of a subnet, as dnsmasq reads them. @param own - gateways that this machine itself is */
export function optionsOfSubnet(subnet: TaggedSubnet, own: readonly string[]): string[] {
  return subnet.ip_version === 4 ? optionsIpv4(subnet, own) : optionsIpv6(subnet);
}

function optionsIpv4(subnet: TaggedSubnet, own: readonly string[]): string[] {
  const gateway = subnet.gateway_ip === null ? null : canonicalAddress(subnet.gateway_ip);
  const routes = [
    ...subnet.host_routes.map((route) => `${canonicalCidr(route.destination)},${canonicalAddress(route.nexthop)}`),
    // Where the gateway is somebody else, the guest's machine answers on its cable.
    `${METADATA_ADDRESS}/32,${gateway !== null && own.includes(gateway) ? gateway : '0.0.0.0'}`,
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

export const tagOfPort = (port: PortSpec): string => `port-${port.id}`;

/** Options that a port has of its own; they stand before those of its subnet. */
export function optionsOfPort(port: PortSpec): string[] {
  return port.extra_dhcp_opts.map(({ name, value, ip_version }) => {
    const family = ip_version === 6 ? 'option6' : 'option';
    const option = /^\d+$/.test(name) && ip_version === 4 ? name : `${family}:${name}`;
    return `tag:${tagOfPort(port)},${option}${value === '' ? '' : `,${value}`}`;
  });
}
