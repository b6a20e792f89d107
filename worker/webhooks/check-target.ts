import { addressOf, bareHost, isIn, isPublic, LOCAL_NAMES } from '../http/addresses.ts';

const HTTPS_PORT = 443;
/** Below are the ports of other services, where an HTTP request does mischief. */
const PORT_MIN = 1024;
/** Labels divided by dots, the last no number: what some resolver could take for an address is no name. */
const PUBLIC_NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]*[a-z0-9])?$/;

/**
 * Whether webhooks may be sent to a URL: HTTPS, without a user or password, to a name or a public address, on port 443 or
 * one from 1024. What a name resolves to is checked where the connection is made (docs/webhooks.md).
 * @param allowed - CIDRs divided by commas, for development: addresses there are allowed, too, on any port and over plain
 *   HTTP; names are then not refused
 * @returns the URL, or what is wrong with it
 */
export function targetOf(text: string, allowed = ''): { url: URL } | { problem: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.hostname === '') return { problem: 'it is no URL' };
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return { problem: 'it must be https' };
  if (url.username !== '' || url.password !== '') return { problem: 'it must not hold a user or password' };
  const ranges = allowed.split(',').filter(Boolean);
  const address = addressOf(url.hostname);
  if (address ? isIn(address, ranges) : ranges.length > 0) return { url };
  if (url.protocol !== 'https:') return { problem: 'it must be https' };
  if (address && !isPublic(address)) return { problem: 'its address is not public' };
  if (!address && !isPublicName(bareHost(url.hostname))) return { problem: 'its name is a local one' };
  const port = Number(url.port || HTTPS_PORT);
  if (port !== HTTPS_PORT && port < PORT_MIN) return { problem: `port ${port} is another service's` };
  return { url };
}

const isPublicName = (host: string) => PUBLIC_NAME.test(host) && !LOCAL_NAMES.test(host);
