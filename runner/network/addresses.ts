import { type Cidr, contains, formatCidr, formatIp, type Ip, parseCidr, parseIp } from '../../shared/cidr.ts';

function ipOf(text: string): Ip {
  const ip = parseIp(text);
  if (!ip) throw new Error(`not an address: ${text}`);
  return ip;
}

function cidrOf(text: string): Cidr {
  const cidr = parseCidr(text);
  if (!cidr) throw new Error(`not a range of addresses: ${text}`);
  return cidr;
}

/** The rules are planned at each change, from the same addresses. */
const canonical = new Map<string, string>();
const CANONICAL_MAX = 100_000;

/** An address in its one canonical text. @throws when it is none */
export function canonicalAddress(text: string): string {
  const known = canonical.get(text);
  if (known !== undefined) return known;
  if (canonical.size >= CANONICAL_MAX) canonical.clear();
  const address = formatIp(ipOf(text));
  canonical.set(text, address);
  return address;
}

export const versionOf = (address: string): 4 | 6 => (canonicalAddress(address).includes(':') ? 6 : 4);

/** A range in canonical text, host bits cleared. @throws when it is none */
export const canonicalCidr = (text: string): string => formatCidr(cidrOf(text));

export const prefixLengthOf = (cidr: string): number => cidrOf(cidr).prefix;

/** The first address of a range. */
export function networkAddressOf(cidr: string): string {
  const { version, base } = cidrOf(cidr);
  return formatIp({ version, value: base });
}

/** The mask of an IPv4 range, dotted. */
export function netmaskOf(cidr: string): string {
  const ones = (1n << 32n) - (1n << BigInt(32 - prefixLengthOf(cidr)));
  return formatIp({ version: 4, value: ones });
}

/** The link-local address that a MAC address gives (EUI-64). */
export function linkLocalOf(mac: string): string {
  const bytes = mac.split(':').map((byte) => Number.parseInt(byte, 16));
  const [first = 0, ...rest] = bytes;
  const eui = [first ^ 2, ...rest.slice(0, 2), 0xff, 0xfe, ...rest.slice(2)];
  const value = eui.reduce((sum, byte) => sum * 256n + BigInt(byte), 0xfe80n << 48n);
  return formatIp({ version: 6, value });
}

/** An IPv6 address as one number in hex, for raw matches of nft. */
export const addressHex = (address: string): string => `0x${ipOf(address).value.toString(16).padStart(32, '0')}`;

const LINK_LOCAL = cidrOf('fe80::/10');

/** Whether an address means something on its own link only. */
export const isLinkLocal = (address: string): boolean => contains(LINK_LOCAL, ipOf(address));

/** Whether an address can be a gateway of a range: one of its own, or link-local. */
export function isGatewayOf(cidr: string, address: string): boolean {
  return contains(cidrOf(cidr), ipOf(address)) || isLinkLocal(address);
}
