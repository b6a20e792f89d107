import ipaddr from 'ipaddr.js';

/** Names that mean a machine of one's own or of the provider, whatever a resolver says. */
const LOCAL_NAMES = /(^|\.)(localhost|local|internal|home\.arpa|localdomain)$/;
const PORTS = new Set(['', '80', '443']);

/**
 * The source of a download, where it may be one: HTTP or HTTPS, without a user or password, on the ports of the two, at
 * a name or a public address. What a name resolves to is checked where the connection is made, by the same rule.
 * @param allowed - CIDRs divided by commas: addresses there are allowed, too, on any port; names are then not refused
 * @returns undefined where it may not
 */
export function sourceOf(uri: string, allowed = ''): URL | undefined {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined;
  if (url.username !== '' || url.password !== '' || url.hostname === '') return undefined;
  const ranges = allowed.split(',').filter(Boolean);
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (ipaddr.isValid(host)) {
    const address = ipaddr.process(host);
    if (isIn(address, ranges)) return url;
    return isPublic(address) && PORTS.has(url.port) ? url : undefined;
  }
  if (ranges.length > 0) return url;
  return PORTS.has(url.port) && host.includes('.') && !LOCAL_NAMES.test(host) ? url : undefined;
}

/** What the registries give out: of IPv6 that is one block alone. */
function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return address.range() === 'unicast' && (address.kind() === 'ipv4' || isIn(address, ['2000::/3']));
}

function isIn(address: ipaddr.IPv4 | ipaddr.IPv6, ranges: string[]): boolean {
  return ranges.some((range) => {
    const [network, bits] = ipaddr.parseCIDR(range);
    return network.kind() === address.kind() && address.match(network, bits);
  });
}
