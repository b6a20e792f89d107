import ipaddr from 'ipaddr.js';

export type IpVersion = 4 | 6;

/** An address as a number, so that ranges can be reckoned. */
export interface Ip {
  version: IpVersion;
  value: bigint;
}

/** A range of addresses: `base` has no bit set below the prefix. */
export interface Cidr {
  version: IpVersion;
  base: bigint;
  prefix: number;
}

/** Bits of an address. */
export const BITS: Readonly<Record<IpVersion, number>> = { 4: 32, 6: 128 };

const DECIMAL_OCTETS = /^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/;

/** An address from its text: IPv4 in four decimal parts without leading zeros, or IPv6 without a zone. Null if it is neither. */
export function parseIp(text: string): Ip | null {
  if (DECIMAL_OCTETS.test(text)) {
    return ipaddr.IPv4.isValidFourPartDecimal(text) ? fromBytes(4, ipaddr.IPv4.parse(text).toByteArray()) : null;
  }
  if (!text.includes(':') || text.includes('%') || !ipaddr.IPv6.isValid(text)) return null;
  return fromBytes(6, ipaddr.IPv6.parse(text).toByteArray());
}

/** An address in its one usual text (IPv6 as RFC 5952 writes it). */
export function formatIp({ version, value }: Ip): string {
  const bytes = toBytes(version, value);
  return version === 4 ? new ipaddr.IPv4(bytes).toString() : new ipaddr.IPv6(bytes).toRFC5952String();
}

/** A range from `address/prefix`; bits below the prefix are dropped. A bare address is a range of one. Null if malformed. */
export function parseCidr(text: string): Cidr | null {
  const [address = '', prefixText, ...rest] = text.split('/');
  const ip = parseIp(address);
  if (!ip || rest.length > 0) return null;
  if (prefixText !== undefined && !/^(0|[1-9]\d{0,2})$/.test(prefixText)) return null;
  const prefix = prefixText === undefined ? BITS[ip.version] : Number(prefixText);
  if (prefix > BITS[ip.version]) return null;
  return { version: ip.version, base: ip.value & ~hostMask(ip.version, prefix), prefix };
}

export function formatCidr({ version, base, prefix }: Cidr): string {
  return `${formatIp({ version, value: base })}/${prefix}`;
}

/** How many addresses a range has, its first and last included. */
export const sizeOf = (cidr: Cidr): bigint => 1n << BigInt(BITS[cidr.version] - cidr.prefix);

/** The last address of a range: the broadcast address in IPv4. */
export const lastOf = (cidr: Cidr): bigint => cidr.base + sizeOf(cidr) - 1n;

export function contains(cidr: Cidr, ip: Ip): boolean {
  return ip.version === cidr.version && (ip.value & ~hostMask(cidr.version, cidr.prefix)) === cidr.base;
}

/** Whether two ranges share an address. */
export function overlaps(a: Cidr, b: Cidr): boolean {
  return a.version === b.version && a.base <= lastOf(b) && b.base <= lastOf(a);
}

/** The text of the address at an offset from the range's first. */
export function addressAt(cidr: Cidr, offset: number | bigint): string {
  return formatIp({ version: cidr.version, value: cidr.base + BigInt(offset) });
}

/** How far an address is from the range's first; the address must be in the range. */
export const offsetOf = (cidr: Cidr, ip: Ip): bigint => ip.value - cidr.base;

const hostMask = (version: IpVersion, prefix: number): bigint => (1n << BigInt(BITS[version] - prefix)) - 1n;

function fromBytes(version: IpVersion, bytes: number[]): Ip {
  return { version, value: bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) };
}

function toBytes(version: IpVersion, value: bigint): number[] {
  const count = BITS[version] / 8;
  return Array.from({ length: count }, (_, index) => Number((value >> BigInt(8 * (count - 1 - index))) & 0xffn));
}
