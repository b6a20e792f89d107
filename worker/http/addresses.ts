import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Names that mean a machine of one's own or of the provider, whatever a resolver says. */
export const LOCAL_NAMES = /(^|\.)(localhost|local|internal|home\.arpa|localdomain)$/;

/** Whether an address is one that the registries give out: of IPv6 that is one block alone. */
export function isPublic(address: Address): boolean {
  return address.range() === 'unicast' && (address.kind() === 'ipv4' || isIn(address, ['2000::/3']));
}

/** Whether an address is in one of some CIDRs. */
export function isIn(address: Address, ranges: string[]): boolean {
  return ranges.some((range) => {
    const [network, bits] = ipaddr.parseCIDR(range);
    return network.kind() === address.kind() && address.match(network, bits);
  });
}

/** The address that a URL's host is, IPv4 in IPv6 as IPv4; undefined for a name. */
export function addressOf(hostname: string): Address | undefined {
  const host = bareHost(hostname);
  return ipaddr.isValid(host) ? ipaddr.process(host) : undefined;
}

/** A URL's host without brackets and without the root's dot. */
export const bareHost = (hostname: string) => hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
