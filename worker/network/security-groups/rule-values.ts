import { formatCidr, formatIp, parseCidr, parseIp } from '../../../shared/cidr.ts';
import { badRequest } from '../../http/errors.ts';
import { type Parse, shown } from '../api/values.ts';
import { PROTOCOL_NUMBERS } from './protocols.ts';

const ETHERTYPES = ['IPv4', 'IPv6'] as const;
const PROTOCOL_NUMBER_MAX = 255;
const PORT_MAX = 65_535;

/** A protocol as the client names it, in lower case: a known name or a number; null for any. */
export const protocol: Parse<string | null> = (value) => {
  if (value === null) return null;
  const word = typeof value === 'number' ? String(value) : value;
  if (typeof word === 'string') {
    if (/^\d{1,3}$/.test(word) && Number(word) <= PROTOCOL_NUMBER_MAX) return String(Number(word));
    if (Object.hasOwn(PROTOCOL_NUMBERS, word.toLowerCase())) return word.toLowerCase();
    if (word.toLowerCase() === 'any') return null;
  }
  const names = Object.keys(PROTOCOL_NUMBERS).join(', ');
  throw badRequest(
    `Security group rule protocol ${shown(value)} not supported. Only protocol values [None, any, ${names}] and integer representations [0 to 255] are supported.`,
    'SecurityGroupRuleInvalidProtocol',
  );
};

/** `IPv4` or `IPv6`, in any case. */
export const ethertype: Parse<'IPv4' | 'IPv6'> = (value) => {
  const found = ETHERTYPES.find((one) => typeof value === 'string' && one.toLowerCase() === value.toLowerCase());
  if (found) return found;
  throw badRequest(
    `Security group rule for ethertype '${shown(value)}' not supported. Allowed values are [${ETHERTYPES.join(', ')}].`,
    'SecurityGroupRuleInvalidEtherType',
  );
};

/** A port, or an ICMP type or code; null for any. */
export const portValue: Parse<number | null> = (value) => {
  if (value === null) return null;
  const number = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= PORT_MAX) return number;
  throw badRequest(`Invalid value for port ${shown(value)}`, 'SecurityGroupInvalidPortValue');
};

/** A range of addresses with its prefix; the address keeps its own bits, as Neutron shows it. */
export const ipPrefix: Parse<string> = (value) => {
  const cidr = typeof value === 'string' ? parseCidr(value) : null;
  const ip = typeof value === 'string' ? parseIp(value.split('/')[0] ?? '') : null;
  if (cidr && ip) return `${formatIp(ip)}/${cidr.prefix}`;
  throw badRequest(`Invalid CIDR ${shown(value)} given as IP prefix.`, 'InvalidCIDR');
};

/** The same range by its first address. */
export function normalizedCidr(prefix: string | null): string | null {
  const cidr = prefix === null ? null : parseCidr(prefix);
  return cidr ? formatCidr(cidr) : null;
}
