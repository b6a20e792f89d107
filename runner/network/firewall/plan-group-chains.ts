import { createHash } from 'node:crypto';
import type { SecurityGroupSpec } from '../../../shared/specs/network.ts';
import { canonicalAddress, canonicalCidr, versionOf } from '../addresses.ts';
import { joined, rangeOf, rangeText } from '../intranet/ranges.ts';
import type { Inventory } from '../inventory.ts';
import type { ChainPlan, SetPlan } from './ruleset.ts';

type Rule = SecurityGroupSpec['rules'][number];
export type Direction = Rule['direction'];
const DIRECTIONS: Direction[] = ['ingress', 'egress'];

const TCP = 6;
const UDP = 17;
const ICMP = 1;
const ICMPV6 = 58;
const WITH_PORTS = new Set([TCP, UDP, 33, 132, 136]);

/**
 * Answers pass without a rule. What goes the way of the first packet is judged each time, so that a rule that is taken
 * away ends the connections that it had let in.
 */
export const ANSWERS = ['ct state related accept', 'ct state established ct direction reply accept'];
/** What only routers and DHCP servers say. The bridge table sees fragments; here they are whole again. */
const NOT_A_GUESTS = ['icmpv6 type { nd-router-advert, nd-redirect } drop', 'udp sport { 67, 547 } drop'];

/** The chain that ports with this set of groups share. */
export function chainOfGroups(direction: Direction, groupIds: readonly string[]): string {
  const key = [...groupIds].sort().join(',');
  return `${direction}-ports-${createHash('sha256').update(key).digest('hex').slice(0, 16)}`;
}

const chainOfGroup = (direction: Direction, id: string) => `${direction}-group-${id}`;
const addressSet = (id: string, version: 4 | 6) => `addresses${version}-${id}`;
const memberSet = (id: string, version: 4 | 6) => `members${version}-${id}`;

/** Chains of the groups, and of the combinations of groups that ports have; a packet that leaves one is dropped. */
export function planGroupChains(inventory: Inventory): { chains: Map<string, ChainPlan>; sets: Map<string, SetPlan> } {
  const chains = new Map<string, ChainPlan>();
  const used = new Set<string>();
  for (const { spec } of inventory.ports.values()) {
    for (const id of spec.security_groups) used.add(id);
    for (const direction of DIRECTIONS) {
      // A group that is not here yet lets nothing pass.
      const known = [...new Set(spec.security_groups)].filter((id) => inventory.groups.has(id)).sort();
      chains.set(chainOfGroups(direction, spec.security_groups), {
        hook: null,
        rules: [
          ...(isStateful(inventory, known) ? ['ct state invalid drop', ...ANSWERS] : []),
          ...(direction === 'egress' ? NOT_A_GUESTS : []),
          ...known.map((id) => `jump ${chainOfGroup(direction, id)}`),
          'drop',
        ],
      });
    }
  }
  const remotes = new Set<string>();
  const addressGroups = new Set<string>();
  for (const id of used) {
    const group = inventory.groups.get(id);
    if (!group) continue;
    for (const rule of group.spec.rules) {
      if (rule.remote_group_id) remotes.add(rule.remote_group_id);
      if (rule.remote_address_group_id) addressGroups.add(rule.remote_address_group_id);
    }
    for (const direction of DIRECTIONS) {
      const rules = group.spec.rules.filter((rule) => rule.direction === direction);
      chains.set(chainOfGroup(direction, id), { hook: null, rules: matchesOf(rules).map((match) => `${match}accept`) });
    }
  }
  return { chains, sets: new Map([...memberSets(inventory, remotes), ...addressSets(inventory, addressGroups)]) };
}

/** Where one group keeps no state, answers need a rule: nobody can say which group let the question out. */
function isStateful(inventory: Inventory, groupIds: string[]): boolean {
  return groupIds.every((id) => inventory.groups.get(id)?.spec.stateful !== false);
}

/** An address group that is not here yet is empty. */
function addressSets(inventory: Inventory, ids: Set<string>): [string, SetPlan][] {
  return [...ids].flatMap((id) => {
    const ranges = joined((inventory.all('address-group').get(id)?.spec.addresses ?? []).map(rangeOf));
    return ([4, 6] as const).map((version): [string, SetPlan] => {
      const own = ranges.filter((range) => range.version === version);
      const elements = new Map(own.map((range) => [rangeText(range), '']));
      return [addressSet(id, version), { type: `type ipv${version}_addr; flags interval`, elements }];
    });
  });
}

function memberSets(inventory: Inventory, groupIds: Set<string>): Map<string, SetPlan> {
  const sets = new Map<string, SetPlan>();
  for (const id of groupIds) {
    sets.set(memberSet(id, 4), { type: 'type ipv4_addr', elements: new Map() });
    sets.set(memberSet(id, 6), { type: 'type ipv6_addr', elements: new Map() });
  }
  for (const { spec } of inventory.members.values()) {
    for (const address of spec.addresses.map(canonicalAddress)) {
      sets.get(memberSet(spec.group_id, versionOf(address)))?.elements.set(address, '');
    }
  }
  return sets;
}

/** One match a remote, protocol and version, its ports gathered in a set: what a packet costs follows these, not the rules. */
function matchesOf(rules: Rule[]): string[] {
  const ports = new Map<string, [number, number][]>();
  const matches = new Set<string>();
  for (const rule of rules) {
    const protocol = protocolOf(rule);
    const head = `meta nfproto ${rule.ethertype === 'IPv4' ? 'ipv4' : 'ipv6'} ${remoteMatch(rule)}`;
    if (protocol === null) matches.add(head);
    else if (WITH_PORTS.has(protocol) && rule.port_range_min !== null) {
      const key = `${head}meta l4proto ${protocol} th dport `;
      ports.set(key, [...(ports.get(key) ?? []), [rule.port_range_min, rule.port_range_max ?? rule.port_range_min]]);
    } else matches.add(`${head}meta l4proto ${protocol} ${icmpMatch(rule, protocol)}`);
  }
  for (const [head, ranges] of ports) matches.add(`${head}{ ${mergeRanges(ranges).join(', ')} } `);
  return [...matches].sort();
}

function protocolOf(rule: Rule): number | null {
  // Clients write icmp for IPv6 too.
  return rule.ethertype === 'IPv6' && rule.protocol === ICMP ? ICMPV6 : rule.protocol;
}

function remoteMatch(rule: Rule): string {
  const version = rule.ethertype === 'IPv4' ? 4 : 6;
  const field = `${version === 4 ? 'ip' : 'ip6'} ${rule.direction === 'ingress' ? 'saddr' : 'daddr'}`;
  if (rule.remote_group_id) return `${field} @${memberSet(rule.remote_group_id, version)} `;
  if (rule.remote_address_group_id) return `${field} @${addressSet(rule.remote_address_group_id, version)} `;
  if (!rule.remote_ip_prefix || rule.remote_ip_prefix.endsWith('/0')) return '';
  return `${field} ${canonicalCidr(rule.remote_ip_prefix)} `;
}

function icmpMatch(rule: Rule, protocol: number): string {
  if ((protocol !== ICMP && protocol !== ICMPV6) || rule.port_range_min === null) return '';
  const word = protocol === ICMP ? 'icmp' : 'icmpv6';
  const code = rule.port_range_max === null ? '' : `${word} code ${rule.port_range_max} `;
  return `${word} type ${rule.port_range_min} ${code}`;
}

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
