import { formatCidr, formatIp, parseCidr, parseIp } from '../../../shared/cidr.ts';
import { BadValue, invalidInput, type Parse, shown } from './values.ts';

/** An IP address in its usual text. */
export const ipAddress: Parse<string> = (value) => {
  const ip = typeof value === 'string' ? parseIp(value) : null;
  if (!ip) throw new BadValue(`'${shown(value)}' is not a valid IP address`);
  return formatIp(ip);
};

/** A subnet's range: the address must be the range's first. */
export const subnetCidr: Parse<string> = (value) => {
  const cidr = typeof value === 'string' && value.includes('/') ? parseCidr(value) : null;
  if (!cidr || typeof value !== 'string') throw invalidInput(`${shown(value)} is not in a CIDR format`);
  const usual = formatCidr(cidr);
  const [address = ''] = value.split('/');
  if (parseIp(address)?.value !== cidr.base) {
    throw new BadValue(`'${shown(value)}' isn't a recognized IP subnet cidr, '${usual}' is recommended`);
  }
  return usual;
};

/** A route's destination. */
export const routeCidr: Parse<string> = (value) => {
  const cidr = typeof value === 'string' && value.includes('/') ? parseCidr(value) : null;
  if (!cidr) throw new BadValue(`'${shown(value)}' is not a valid CIDR`);
  return formatCidr(cidr);
};

const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;
const MULTICAST_BIT = 1;

/** A unicast MAC address, colons between its bytes. */
export const macAddress: Parse<string> = (value) => {
  const mac = typeof value === 'string' ? value.toLowerCase().replaceAll('-', ':') : '';
  const first = Number.parseInt(mac.slice(0, 2), 16);
  if (!MAC.test(mac) || mac === '00:00:00:00:00:00' || (first & MULTICAST_BIT) === 1) {
    throw new BadValue(`'${shown(value)}' is not a valid MAC address`);
  }
  return mac;
};
