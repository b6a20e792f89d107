import type { ChainPlan, SetPlan } from '../firewall/ruleset.ts';
import { type Range, rangeText } from './ranges.ts';

/** Flows that the kernel keeps apart, of each kind, and ports whose packets it counts. */
const FLOWS_MAX = 16_384;
const PORTS_MAX = 65_535;
/** The runner reads more often than that. */
const FLOW_LIFE_S = 90;
/** A port that sends to ever new destinations adds flows no faster: beyond it only the port's own count rises. */
const NEW_FLOWS = 'limit rate over 10/second burst 100 packets';
/** TCP, DCCP, UDP, SCTP, UDP-Lite: what has ports. */
const WITH_PORTS = '{ 6, 17, 33, 132, 136 }';

const COUNTED_AS_SENT = [
  'iifname . ip daddr != @inside4 ct status and dnat == 0 goto denied',
  'iifname . ip6 daddr != @inside6 ct status and dnat == 0 goto denied',
];

/** Sets in which the kernel counts what was denied, and what a key of theirs consists of. */
export const COUNTS = {
  denied_by_port: ['mark'],
  denied4: ['mark', 'daddr', 'protocol', 'dport'],
  denied6: ['mark', 'daddr', 'protocol', 'dport'],
  denied4_plain: ['mark', 'daddr', 'protocol'],
  denied6_plain: ['mark', 'daddr', 'protocol'],
  denied4_routed: ['bridge', 'saddr', 'daddr', 'protocol'],
  denied6_routed: ['bridge', 'saddr', 'daddr', 'protocol'],
} as const satisfies Record<string, readonly Part[]>;
export type Part = 'mark' | 'bridge' | 'saddr' | 'daddr' | 'protocol' | 'dport';

export function countSets(): Record<string, SetPlan> {
  const types = (version: string): Record<Part, string> => ({
    mark: 'mark',
    bridge: 'ifname',
    saddr: `ipv${version}_addr`,
    daddr: `ipv${version}_addr`,
    protocol: 'inet_proto',
    dport: 'inet_service',
  });
  const sets = Object.entries(COUNTS).map(([name, parts]): [string, SetPlan] => {
    const type = parts.map((part) => types(name.startsWith('denied6') ? '6' : '4')[part]).join(' . ');
    const bound =
      name === 'denied_by_port'
        ? `size ${PORTS_MAX}; flags dynamic`
        : `size ${FLOWS_MAX}; flags dynamic,timeout; timeout ${FLOW_LIFE_S}s`;
    return [name, { type: `type ${type}; ${bound}; counter`, elements: new Map() }];
  });
  const budgets = { type: `type mark; size ${PORTS_MAX}; flags dynamic,timeout; timeout 60s`, elements: new Map() };
  return { ...Object.fromEntries(sets), new_flows: budgets };
}

/**
 * What is counted, for nothing is in any set for a moment after all rules are loaded: what is then dropped without a reason
 * is in none of these either. A key of two parts is in force as late as those of a place and an address.
 */
export function closedSets(closed: Range[]): [string, SetPlan][] {
  const sets = ([4, 6] as const).map((version): [string, SetPlan] => {
    const ranges = closed.filter((range) => range.version === version);
    const field = version === 4 ? 'ip' : 'ip6';
    const elements = new Map(ranges.map((range) => [`ipv${version} . ${rangeText(range)}`, '']));
    return [`closed${version}`, { type: `typeof meta nfproto . ${field} daddr; flags interval`, elements }];
  });
  return sets;
}
const IS_UNFOUNDED = [
  'meta nfproto ipv4 meta nfproto . ip daddr != @closed4 goto denied',
  'meta nfproto ipv6 meta nfproto . ip6 daddr != @closed6 goto denied',
];

/** Where what is denied ends: it is counted, and dropped, or in a dry run let go. */
export function countChain(dryRun: boolean): [string, ChainPlan][] {
  const end = dryRun ? 'accept' : 'drop';
  return [
    ['denied', { hook: null, rules: [end] }],
    [
      'denied_as_sent',
      {
        hook: null,
        rules: [
          ...IS_UNFOUNDED,
          'update @denied_by_port { meta mark }',
          `update @new_flows { meta mark ${NEW_FLOWS} } goto denied`,
          `meta nfproto ipv4 meta l4proto ${WITH_PORTS} update @denied4 { meta mark . ip daddr . meta l4proto . th dport } goto denied`,
          `meta nfproto ipv6 meta l4proto ${WITH_PORTS} update @denied6 { meta mark . ip6 daddr . meta l4proto . th dport } goto denied`,
          'meta nfproto ipv4 update @denied4_plain { meta mark . ip daddr . meta l4proto } goto denied',
          'meta nfproto ipv6 update @denied6_plain { meta mark . ip6 daddr . meta l4proto } goto denied',
          'goto denied',
        ],
      },
    ],
    [
      'denied_as_routed',
      {
        hook: null,
        rules: [
          ...IS_UNFOUNDED,
          // Let go as it was sent, it was counted then, unless what it was sent to was not closed.
          ...(dryRun ? COUNTED_AS_SENT : []),
          'meta nfproto ipv4 update @denied4_routed { iifname . ip saddr . ip daddr . meta l4proto } goto denied',
          'meta nfproto ipv6 update @denied6_routed { iifname . ip6 saddr . ip6 daddr . meta l4proto } goto denied',
          'goto denied',
        ],
      },
    ],
  ];
}
