import { createHash } from 'node:crypto';
import type { SecurityGroupSpec } from '../../../shared/specs/network.ts';
import { canonicalAddress, versionOf } from '../addresses.ts';
import { joined, rangeOf, rangeText } from '../intranet/ranges.ts';
import type { Inventory, Numbered } from '../inventory.ts';
import { perObject } from './per-object.ts';
import { addressSet, type Direction, matchesOfAnswers, matchesOfPackets, memberSet } from './plan-group-matches.ts';
import type { ChainPlan, SetPlan } from './ruleset.ts';

const DIRECTIONS: Direction[] = ['ingress', 'egress'];

/** What belongs to a connection that others have judged. */
export const ANSWERS = ['ct state related accept', 'ct state established ct direction reply accept'];
/** The chain that ports with this set of groups share. */
export const chainOfGroups = (direction: Direction, groupIds: readonly string[]): string =>
  `${direction}-ports-${hashOf(groupIds)}`;
/** Of those, what is said in reply. */
const chainOfReplies = (direction: Direction, groupIds: readonly string[]) =>
  `${direction}-replies-${hashOf(groupIds)}`;

const hashOf = (groupIds: readonly string[]) => createHash('sha256').update(keyOf(groupIds)).digest('hex').slice(0, 16);

const keyOf = (groupIds: readonly string[]) => [...groupIds].sort().join(',');

const chainOfGroup = (direction: Direction, id: string) => `${direction}-group-${id}`;
/** What answers to what a group lets pass in a direction. */
const chainOfAnswers = (direction: Direction, id: string) => `${direction}-answers-${id}`;

/**
 * Chains of the groups, and of the combinations of groups that ports have; a packet that leaves one is dropped. Each
 * packet is judged, an answer by the rules that its question needs: a rule that is taken away ends the connections that
 * it had let pass, whoever speaks in them.
 */
export function planGroupChains(inventory: Inventory): { chains: Map<string, ChainPlan>; sets: Map<string, SetPlan> } {
  const combinations = new Map<string, string[]>();
  for (const { spec } of inventory.ports.values()) combinations.set(keyOf(spec.security_groups), spec.security_groups);
  const used = new Set([...combinations.values()].flat());
  const groups = [...used].flatMap((id) => inventory.groups.get(id) ?? []);
  const rules = groups.flatMap(({ spec }) => spec.rules);
  const remotes = new Set(rules.flatMap((rule) => rule.remote_group_id ?? []));
  const addressGroups = new Set(rules.flatMap((rule) => rule.remote_address_group_id ?? []));
  return {
    chains: new Map([
      ...[...combinations.values()].flatMap((ids) => chainsOfPorts(inventory, ids)),
      ...groups.flatMap((group) => chainsOfGroup(inventory, group)),
    ]),
    sets: new Map([...memberSets(inventory, remotes), ...addressSets(inventory, addressGroups)]),
  };
}

function chainsOfPorts(inventory: Inventory, groupIds: string[]): [string, ChainPlan][] {
  // A group that is not here yet lets nothing pass.
  const known = [...new Set(groupIds)].filter((id) => inventory.groups.has(id)).sort();
  return DIRECTIONS.flatMap((direction): [string, ChainPlan][] => {
    const asked = direction === 'egress' ? 'ingress' : 'egress';
    const replies = chainOfReplies(direction, groupIds);
    const states = ['ct state vmap { invalid : drop, related : accept }', `ct direction reply jump ${replies}`];
    const rules = [
      ...(isStateful(inventory, known) ? states : []),
      ...known.map((id) => `jump ${chainOfGroup(direction, id)}`),
      'drop',
    ];
    return [
      [chainOfGroups(direction, groupIds), { hook: null, rules }],
      [replies, { hook: null, rules: known.map((id) => `jump ${chainOfAnswers(asked, id)}`) }],
    ];
  });
}

const chainsOfGroup = perObject((_: Inventory, { spec }: Numbered<SecurityGroupSpec>): [string, ChainPlan][] =>
  DIRECTIONS.flatMap((direction): [string, ChainPlan][] => {
    const rules = spec.rules.filter((rule) => rule.direction === direction);
    const accepted = (matches: string[]) => ({ hook: null, rules: matches.map((match) => `${match}accept`) });
    return [
      [chainOfGroup(direction, spec.id), accepted(matchesOfPackets(rules))],
      [chainOfAnswers(direction, spec.id), accepted(matchesOfAnswers(rules))],
    ];
  }),
);

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
