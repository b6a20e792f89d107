import { type SQL, sql } from 'drizzle-orm';

/** The protocols that Neutron knows by name, with their numbers. */
export const PROTOCOL_NUMBERS: Readonly<Record<string, number>> = {
  ah: 51,
  dccp: 33,
  egp: 8,
  esp: 50,
  gre: 47,
  hopopt: 0,
  icmp: 1,
  icmpv6: 58,
  igmp: 2,
  ip: 0,
  ipip: 4,
  'ipv6-encap': 41,
  'ipv6-frag': 44,
  'ipv6-icmp': 58,
  'ipv6-nonxt': 59,
  'ipv6-opts': 60,
  'ipv6-route': 43,
  ospf: 89,
  pgm: 113,
  rsvp: 46,
  sctp: 132,
  tcp: 6,
  udp: 17,
  udplite: 136,
  vrrp: 112,
};

/** The number of a rule's protocol as hosts match it; null for any, which Neutron's drivers also take 0 (`ip`) for. */
export function protocolNumberSql(protocol: SQL): SQL {
  const names = Object.entries(PROTOCOL_NUMBERS).map(([name, number]) => sql.raw(`WHEN '${name}' THEN ${number}`));
  return sql`nullif(CASE ${protocol} ${sql.join(names, sql` `)} ELSE CAST(${protocol} AS INTEGER) END, 0)`;
}

/** The number of a protocol named as rules name it; null for any. */
export function protocolNumber(protocol: string | null): number | null {
  if (protocol === null) return null;
  return PROTOCOL_NUMBERS[protocol] ?? Number(protocol);
}
