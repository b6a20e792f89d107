import { addressOf, bareHost, isIn, isPublic, LOCAL_NAMES } from '../../http/addresses.ts';

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
  const host = bareHost(url.hostname);
  const address = addressOf(url.hostname);
  if (address) {
    if (isIn(address, ranges)) return url;
    return isPublic(address) && PORTS.has(url.port) ? url : undefined;
  }
  if (ranges.length > 0) return url;
  return PORTS.has(url.port) && host.includes('.') && !LOCAL_NAMES.test(host) ? url : undefined;
}
