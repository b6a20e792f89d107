import type { PortSpec } from '../../../shared/specs/network.ts';
import { canonicalAddress, versionOf } from '../addresses.ts';
import { rangeOf, rangeText } from '../intranet/ranges.ts';
import type { Inventory, Numbered } from '../inventory.ts';
import {
  JUDGED_MARK,
  METADATA_ADDRESS,
  type Names,
  NETWORK_MARK_MASK,
  SEGMENT_NUMBER,
  TO_GATEWAY_BIT,
} from '../names.ts';
import { planFloatingQos } from '../qos/plan-floating-qos.ts';
import { perObject } from './per-object.ts';
import { ANSWERS, chainOfGroups, planGroupChains } from './plan-group-chains.ts';
import type { Direction } from './plan-group-matches.ts';
import { CONNECTION_LIMITS, connectionMeters } from './plan-limits.ts';
import { ERRORS_FROM_HOST, IS_BRIDGED, NOT_TRANSLATED, routerChains } from './plan-router-chains.ts';
import { planRouterSets } from './plan-router-sets.ts';
import { INTO_TUNNELS, planTunnelSets, tunnelChains } from './plan-tunnel-rules.ts';
import type { ChainPlan, SetPlan, TablePlan } from './ruleset.ts';

/** Neighbour discovery and multicast listening, without which IPv6 does not work at all. */
const ND = '{ nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, 130, 131, 132, 143 }';
const ND_FROM_HOST = '{ nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, 130 }';
/**
 * Security groups, connection tracking and translation. Frames between two taps come here too, through br_netfilter: the
 * bridge table has marked them with the port's number. What a guest sends is judged in prerouting by its own tap, what it
 * receives in forward and output.
 */
export function planInetTable(
  names: Names,
  inventory: Inventory,
  metadataPorts: ReadonlyMap<string, number>,
): TablePlan {
  const sets = emptySets();
  for (const { spec, number } of inventory.networks.values()) {
    const bridge = `"${names.bridge(spec.id)}"`;
    sets.bridges.elements.set(bridge, '');
    sets.network_marks.elements.set(bridge, names.networkMark(number));
    if (spec.snat) sets.masqueraded.elements.set(names.networkMark(number), '');
    const port = metadataPorts.get(spec.id);
    if (port !== undefined) sets.metadata.elements.set(bridge, `${METADATA_ADDRESS} . ${port}`);
  }
  for (const port of inventory.ports.values()) {
    for (const [set, key, value] of elementsOf(names, port)) sets[set].elements.set(key, value);
  }
  addPairs(names, inventory, sets);
  addOtherMachines(names, inventory, sets);
  const groups = planGroupChains(inventory);
  const qos = planFloatingQos(inventory);
  return {
    family: 'inet',
    name: names.table,
    sets: new Map([
      ...Object.entries({ ...sets, ...connectionMeters() }),
      ...planTunnelSets(inventory),
      ...planRouterSets(names, inventory),
      ...groups.sets,
      ...qos.sets,
    ]),
    chains: new Map([
      ...groups.chains,
      ...routerChains(`0x${TO_GATEWAY_BIT.toString(16)}`),
      ...senderChains(names),
      ...receiverChains(),
      ...hostChains(),
      ...tunnelChains(),
      ...qos.chains,
    ]),
  };
}

type Element = [set: keyof ReturnType<typeof emptySets>, key: string, value: string];

const elementsOf = perObject((names: Names, { spec, number }: Numbered<PortSpec>): Element[] => {
  const verdict = (direction: Direction) =>
    spec.port_security_enabled ? `jump ${chainOfGroups(direction, spec.security_groups)}` : 'accept';
  const [ingress, bridge] = [verdict('ingress'), `"${names.bridge(spec.network_id)}"`];
  const addresses = spec.fixed_ips.map((fixed) => canonicalAddress(fixed.ip_address));
  return [
    // What goes to the gateway is marked so.
    ['egress', String(number), verdict('egress')],
    ['egress', String(number + TO_GATEWAY_BIT), verdict('egress')],
    ['ingress', String(number), ingress],
    ...addresses.map((address): Element => [`ingress${versionOf(address)}`, `${bridge} . ${address}`, ingress]),
  ];
});

/**
 * Other addresses that ports have. Which of several ports with the same one has it now is not known here: they share its
 * packets only when they share their groups.
 */
function addPairs(names: Names, inventory: Inventory, sets: ReturnType<typeof emptySets>): void {
  const pairs = new Map<string, string>();
  for (const { spec } of inventory.ports.values()) {
    if (!spec.port_security_enabled) continue;
    for (const pair of spec.allowed_address_pairs) {
      const range = rangeOf(pair.ip_address);
      const key = `${range.version} "${names.bridge(spec.network_id)}" . ${rangeText(range)}`;
      const chain = `jump ${chainOfGroups('ingress', spec.security_groups)}`;
      pairs.set(key, (pairs.get(key) ?? chain) === chain ? chain : 'drop');
    }
  }
  for (const [key, verdict] of pairs) {
    const [version, place] = [key.slice(0, 1), key.slice(2)];
    const map = version === '4' ? sets.ingress4 : sets.ingress6;
    if (place.includes('-', place.indexOf(' . '))) continue;
    if (!map.elements.has(place)) map.elements.set(place, verdict);
  }
}

/** What other machines' guests send and receive is judged there. */
function addOtherMachines(names: Names, inventory: Inventory, sets: ReturnType<typeof emptySets>): void {
  for (const map of [sets.egress, sets.ingress]) map.elements.set(String(SEGMENT_NUMBER), 'accept');
  for (const { spec } of inventory.all('neighbor').values()) {
    for (const address of spec.addresses.map(canonicalAddress)) {
      const map = versionOf(address) === 4 ? sets.ingress4 : sets.ingress6;
      const key = `"${names.bridge(spec.network_id)}" . ${address}`;
      // A port that is here is judged here.
      if (!map.elements.has(key)) map.elements.set(key, 'accept');
    }
  }
}

function emptySets() {
  const set = (type: string): SetPlan => ({ type, elements: new Map() });
  return {
    bridges: set('type ifname'),
    network_marks: set('type ifname : mark'),
    masqueraded: set('type mark'),
    metadata: set('type ifname : ipv4_addr . inet_service'),
    egress: set('type mark : verdict'),
    ingress: set('type mark : verdict'),
    ingress4: set('type ifname . ipv4_addr : verdict'),
    ingress6: set('type ifname . ipv6_addr : verdict'),
  };
}

const filter = (hook: string, priority: number, rules: string[]): ChainPlan => ({
  hook: `type filter hook ${hook} priority ${priority}; policy accept;`,
  rules,
});
const nat = (hook: string, priority: number, rules: string[]): ChainPlan => ({
  hook: `type nat hook ${hook} priority ${priority}; policy accept;`,
  rules,
});
const jumped = (rules: string[]): ChainPlan => ({ hook: null, rules });
/** By the next hop: beyond a guest that routes, it is that guest who receives. */
const RECEIVERS = ['oifname . rt ip nexthop vmap @ingress4', 'oifname . rt ip6 nexthop vmap @ingress6'];

/** What guests send: told apart by network, judged by the port's rules, and marked for routing. */
function senderChains(names: Names): [string, ChainPlan][] {
  return [
    [
      'from_guests',
      filter('prerouting', -150, [
        'ct direction reply iifname @inner jump answers_of_guests',
        'iifname @bridges goto egress_of_port',
        `ct mark and 0x${NETWORK_MARK_MASK.toString(16)} == ${names.networkMarkBase} meta mark set ct mark`,
      ]),
    ],
    [
      'egress_of_port',
      jumped([
        'udp sport . udp dport { 68 . 67, 546 . 547 } accept',
        `ip daddr ${METADATA_ADDRESS} tcp dport 80 accept`,
        `icmpv6 type ${ND} accept`,
        `ct state new meta mark != ${SEGMENT_NUMBER} jump connection_limits`,
        'meta mark vmap @egress',
        'drop',
      ]),
    ],
    ['connection_limits', jumped(CONNECTION_LIMITS)],
    [
      'metadata_service',
      nat('prerouting', -100, [
        `iifname @bridges ip daddr ${METADATA_ADDRESS} tcp dport 80 dnat ip to iifname map @metadata`,
      ]),
    ],
    // Before the bridge table's last look: these chains let it pass.
    ['judged_bridged', filter('forward', 10, [`${IS_BRIDGED} iifname @bridges meta mark set ${JUDGED_MARK}`])],
    [
      'judged_routed',
      filter('postrouting', 200, [`meta mark != ${JUDGED_MARK} oifname @bridges meta mark set ${JUDGED_MARK}`]),
    ],
    [
      'to_the_world',
      nat('postrouting', 100, ['oifname != @bridges meta nfproto ipv4 meta mark @masqueraded masquerade']),
    ],
  ];
}

/** What guests receive, from each other and from the world. */
function receiverChains(): [string, ChainPlan][] {
  return [
    [
      'through',
      filter('forward', 0, [
        `${IS_BRIDGED} iifname @bridges goto between_ports`,
        'iifname != @bridges oifname != @bridges accept',
        INTO_TUNNELS,
        'jump routed',
        'oifname @bridges goto to_guests',
      ]),
    ],
    ['between_ports', jumped([`icmpv6 type ${ND} accept`, 'meta mark vmap @ingress', 'drop'])],
    ['to_guests', jumped([...RECEIVERS, ...ANSWERS, 'drop'])],
  ];
}

/** What goes between guests and the machine itself. */
function hostChains(): [string, ChainPlan][] {
  return [
    [
      'to_host',
      filter('input', 0, [
        `iifname != @bridges iifname != "lo" ip daddr ${METADATA_ADDRESS} drop`,
        'iifname != @bridges accept',
        ...NOT_TRANSLATED,
        'ct state established,related accept',
        'udp sport 68 udp dport 67 accept',
        'udp sport 546 udp dport 547 accept',
        `ip daddr ${METADATA_ADDRESS} meta l4proto tcp ct status dnat accept`,
        `icmpv6 type ${ND} accept`,
        'icmp type echo-request accept',
        'icmpv6 type echo-request accept',
        'drop',
      ]),
    ],
    [
      'from_host',
      filter('output', 0, [
        'oifname != @bridges accept',
        ...ANSWERS,
        ...ERRORS_FROM_HOST,
        'udp sport 67 udp dport 68 accept',
        'udp sport 547 udp dport 546 accept',
        `icmpv6 type ${ND_FROM_HOST} accept`,
        'goto to_guests',
      ]),
    ],
  ];
}
