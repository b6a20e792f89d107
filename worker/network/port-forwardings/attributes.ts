import { ipAddress } from '../api/addresses.ts';
import { optional, readOnly, required, unset } from '../api/attributes.ts';
import {
  BadValue,
  DESCRIPTION_LENGTH_MAX,
  integerBetween,
  nullOr,
  oneOf,
  type Parse,
  shown,
  text,
  uuid,
} from '../api/values.ts';

const PORT_MAX = 65_535;
const onePort = nullOr(integerBetween(1, PORT_MAX));

/** First and last port. */
export type PortRange = [first: number, last: number];

const portRange: Parse<PortRange | null> = (value) => {
  if (value === null) return null;
  const match = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(String(value));
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || first < 1 || last > PORT_MAX || first > last) {
    throw new BadValue(`'${shown(value)}' is not a valid port range`);
  }
  return [first, last];
};

export const PROTOCOLS = ['tcp', 'udp', 'sctp', 'dccp', 'icmp'] as const;
const protocol = oneOf(PROTOCOLS, (value) => (typeof value === 'string' ? value.toLowerCase() : shown(value)));

/** The attributes of a forwarded port, as POST and PUT take them. */
export const forwardAttributes = {
  internal_port_id: required(uuid, { put: true }),
  internal_ip_address: unset(ipAddress),
  protocol: required(protocol, { put: true }),
  internal_port: unset(onePort),
  internal_port_range: unset(portRange),
  external_port: unset(onePort),
  external_port_range: unset(portRange),
  description: optional(text(DESCRIPTION_LENGTH_MAX), ''),
  id: readOnly,
} as const;
