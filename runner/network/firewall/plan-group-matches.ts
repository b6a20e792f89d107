import type { SecurityGroupSpec } from '../../../shared/specs/network.ts';
import { joined, type Range, rangeOf, rangeText } from '../intranet/ranges.ts';

type Rule = SecurityGroupSpec['rules'][number];
export type Direction = Rule['direction'];
type Version = 4 | 6;

const ICMP = 1;
const ICMPV6 = 58;
const WITH_PORTS = new Set([6, 17, 33, 132, 136]);
const ICMP_CODE_MAX = 255;

export const addressSet = (id: string, version: Version) => `addresses${version}-${id}`;
export const memberSet = (id: string, version: Version) => `members${version}-${id}`;

/** What rules say of a packet, and where in a packet or in its connection that stands. */
interface Terms {
  remote(direction: Direction, version: Version): string;
  protocol(number: number): string;
  ports(direction: Direction): string;
  icmp(word: string, type: number, code: number | null): string;
}

/** Of a packet that goes the way of the first one. */
const OF_PACKET: Terms = {
  remote: (direction, version) => `${version === 4 ? 'ip' : 'ip6'} ${direction === 'ingress' ? 'saddr' : 'daddr'} `,
  protocol: (number) => `meta l4proto ${number} `,
  ports: () => 'th dport ',
  icmp: (word, type, code) => `${word} type ${type} ${code === null ? '' : `${word} code ${code} `}`,
};

/**
 * Of the first packet of the connection that a packet answers, as the guest's rules saw it: what comes in is judged after
 * it is translated, what goes out before. Connection tracking keeps an ICMP message's type and code in place of ports.
 */
const OF_QUESTION: Terms = {
  remote: (direction, version) =>
    `ct ${direction === 'ingress' ? 'reply' : 'original'} ${version === 4 ? 'ip' : 'ip6'} daddr `,
  protocol: (number) => `ct protocol ${number} `,
  ports: (direction) => (direction === 'ingress' ? 'ct reply proto-src ' : 'ct original proto-dst '),
  icmp: (_, type, code) =>
    `ct original proto-dst ${(type << 8) + (code ?? 0)}${code === null ? `-${(type << 8) + ICMP_CODE_MAX}` : ''} `,
};

/** Rules of one version and protocol; nothing in a list means any. */
interface Match {
  direction: Direction;
  version: Version;
  /** A set of addresses, as nft names it. */
  set: string | null;
  ranges: Range[];
  protocol: number | null;
  ports: [number, number][];
  icmp: { type: number; code: number | null } | null;
}

/** What rules let pass, as matches that end with a blank. */
export const matchesOfPackets = (rules: Rule[]): string[] => matchesOf(rules, OF_PACKET);
/** What answers to what rules let pass. */
export const matchesOfAnswers = (rules: Rule[]): string[] => matchesOf(rules, OF_QUESTION);

/**
 * Rules that differ in their ports alone become one match, and then those that differ in their prefixes alone: what a
 * packet costs follows the matches, not the rules.
 */
function matchesOf(rules: Rule[], terms: Terms): string[] {
  const withPorts = merged(rules.map(matchOf), 'ports');
  return merged(withPorts, 'ranges')
    .map((match) => matchText(match, terms))
    .sort();
}

function matchOf(rule: Rule): Match {
  const { direction, port_range_min: low, port_range_max: high, remote_ip_prefix: prefix } = rule;
  const version = rule.ethertype === 'IPv4' ? 4 : 6;
  // Clients write icmp for IPv6 too.
  const protocol = version === 6 && rule.protocol === ICMP ? ICMPV6 : rule.protocol;
  const isIcmp = protocol === ICMP || protocol === ICMPV6;
  const set = rule.remote_group_id
    ? memberSet(rule.remote_group_id, version)
    : rule.remote_address_group_id && addressSet(rule.remote_address_group_id, version);
  return {
    direction,
    version,
    set,
    ranges: prefix === null || prefix.endsWith('/0') ? [] : [rangeOf(prefix)],
    protocol,
    ports: low !== null && WITH_PORTS.has(protocol ?? 0) ? [[low, high ?? low]] : [],
    icmp: low !== null && isIcmp ? { type: low, code: high } : null,
  };
}

/** Makes one of matches that differ in one list alone, and have something in it. */
function merged(matches: Match[], list: 'ports' | 'ranges'): Match[] {
  const byRest = new Map<string, Match>();
  for (const match of matches) {
    const rest = matchText({ ...match, [list]: [] }, OF_PACKET);
    const key = `${match.direction} ${match[list].length > 0} ${rest}`;
    const known = byRest.get(key);
    byRest.set(key, known ? { ...known, [list]: [...known[list], ...match[list]] } : match);
  }
  return [...byRest.values()];
}

function matchText({ direction, version, set, ranges, protocol, ports, icmp }: Match, terms: Terms): string {
  const remote = set === null ? anyOf(joined(ranges).map(rangeText)) : `@${set} `;
  return [
    `meta nfproto ipv${version} `,
    remote && terms.remote(direction, version) + remote,
    protocol !== null && terms.protocol(protocol),
    ports.length > 0 && terms.ports(direction) + anyOf(mergeRanges(ports)),
    icmp && terms.icmp(protocol === ICMP ? 'icmp' : 'icmpv6', icmp.type, icmp.code),
  ]
    .filter(Boolean)
    .join('');
}

const anyOf = (ranges: string[]) => (ranges.length === 0 ? '' : `{ ${ranges.join(', ')} } `);

/** Ranges that touch or overlap become one: nft refuses overlaps. */
export function mergeRanges(ranges: [number, number][]): string[] {
  const sorted = [...ranges].sort(([a], [b]) => a - b);
  const merged: [number, number][] = [];
  for (const [low, high] of sorted) {
    const last = merged.at(-1);
    if (last && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else merged.push([low, high]);
  }
  return merged.map(([low, high]) => (low === high ? String(low) : `${low}-${high}`));
}
