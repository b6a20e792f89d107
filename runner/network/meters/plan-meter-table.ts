import type { PortSpec } from '../../../shared/specs/network.ts';
import { canonicalAddress, versionOf } from '../addresses.ts';
import { perObject } from '../firewall/per-object.ts';
import { IS_TRANSLATED } from '../firewall/plan-router-chains.ts';
import type { ChainPlan, SetPlan, TablePlan } from '../firewall/ruleset.ts';
import { rangeOf, rangeText } from '../intranet/ranges.ts';
import type { Inventory, Numbered } from '../inventory.ts';
import { JUDGED_MARK, type Names } from '../names.ts';
import { floatingIpsOf, portForwardingsOf } from '../routers/floating.ts';
import type { Counted, CounterPair, Way } from './counter-names.ts';

/** After translation, what it judges and limits of floating IPs; before packets are marked as judged. */
const AFTER_TRANSLATION = 170;
/** After groups have judged what is bridged, before it is marked so. */
const AFTER_GROUPS = 5;

/** Which counters a resource has: the same ones as long as they stand in the kernel. */
export type CountedBy = (type: Counted['type'], id: string) => CounterPair;

/**
 * Counts what guests exchange with the world, by port and by floating IP. What goes through an address of the world is
 * public on whichever machine the other guest is, so that a bill does not depend on placement. A packet costs one look-up a
 * meter, however many ports there are.
 */
export function planMeterTable(names: Names, inventory: Inventory, countedBy: CountedBy): TablePlan {
  const sets = emptySets();
  const counters = new Set<string>();
  const put = ([set, key, way]: Element, pair: CounterPair) => {
    const { elements } = sets[set];
    // Addresses that ports share count for the first of them.
    if (!elements.has(key)) elements.set(key, way === 'in' ? pair.quotedIn : pair.quotedOut);
  };
  const pairOf = (type: Counted['type'], id: string): CounterPair => {
    const pair = countedBy(type, id);
    counters.add(pair.in).add(pair.out);
    return pair;
  };
  for (const { spec } of inventory.networks.values()) {
    sets[spec.external ? 'external' : 'inner'].elements.set(`"${names.bridge(spec.id)}"`, '');
  }
  // Own addresses of all ports come before those that a port may also have.
  const ports = [...inventory.ports.values()].map((port) => ({ port, pair: pairOf('port', port.spec.id) }));
  for (const { port, pair } of ports) for (const element of ownElements(names, port)) put(element, pair);
  for (const { port, pair } of ports) {
    if (port.spec.allowed_address_pairs.length === 0) continue;
    for (const element of pairElements(names, port)) put(element, pair);
  }
  for (const [id, address] of floatingAddresses(inventory)) {
    const pair = pairOf('floating_ip', id);
    put(['floating_out', address, 'out'], pair);
    put(['floating_in', address, 'in'], pair);
  }
  return { family: 'inet', name: names.metersTable, sets: new Map(Object.entries(sets)), chains: chains(), counters };
}

type Element = [set: keyof ReturnType<typeof emptySets>, key: string, way: Way];

const ownElements = perObject((names: Names, { spec }: Numbered<PortSpec>): Element[] =>
  elementsOf(
    names,
    spec,
    [spec.mac_address],
    spec.fixed_ips.map((fixed) => canonicalAddress(fixed.ip_address)),
  ),
);

/** Of pairs those that are one address: whose a packet for a range is, nobody knows here. */
const pairElements = perObject((names: Names, { spec }: Numbered<PortSpec>): Element[] => {
  const ranges = spec.allowed_address_pairs.map((pair) => rangeOf(pair.ip_address));
  const single = ranges.filter((range) => range.first === range.last).map((range) => rangeText(range));
  const macs = spec.allowed_address_pairs.map((pair) => pair.mac_address);
  return elementsOf(names, spec, macs, single);
});

function elementsOf(names: Names, port: PortSpec, macs: string[], addresses: string[]): Element[] {
  const bridge = `"${names.bridge(port.network_id)}"`;
  return [
    ...macs.flatMap((mac): Element[] => [
      ['egress', `${bridge} . ${mac}`, 'out'],
      ['ingress', `${bridge} . ${mac}`, 'in'],
    ]),
    ...addresses.flatMap((address): Element[] => {
      const key = `${bridge} . ${address}`;
      if (versionOf(address) === 6) return [['ingress6', key, 'in']];
      return [
        ['ingress4', key, 'in'],
        ['near', key, 'out'],
      ];
    }),
  ];
}

/** Addresses of the world that this machine translates, by the floating IP's id. */
function floatingAddresses(inventory: Inventory): [id: string, address: string][] {
  const shared = portForwardingsOf(inventory).filter(({ holder }) => holder);
  return [
    ...floatingIpsOf(inventory).map((one): [string, string] => [one.id, canonicalAddress(one.floating_ip_address)]),
    ...shared.map((one): [string, string] => [one.floating_ip_id, canonicalAddress(one.floating_ip_address)]),
  ];
}

function emptySets() {
  const set = (type: string): SetPlan => ({ type, elements: new Map() });
  return {
    /** Bridges with guests of tenants on them. */
    inner: set('type ifname'),
    /** Bridges with the world on them. */
    external: set('type ifname'),
    /** By hardware address, which also tells whose a packet is that a guest without port security made up. */
    egress: set('type ifname . ether_addr : counter'),
    ingress4: set('type ifname . ipv4_addr : counter'),
    ingress6: set('type ifname . ipv6_addr : counter'),
    /** The same by hardware address, of what is bridged. */
    ingress: set('type ifname . ether_addr : counter'),
    /** Senders to a floating IP of their own network, whose frames the bridge leads on and may have given other hardware addresses. */
    near: set('type ifname . ipv4_addr : counter'),
    floating_out: set('type ipv4_addr : counter'),
    floating_in: set('type ipv4_addr : counter'),
  };
}

const jumped = (rules: string[]): ChainPlan => ({ hook: null, rules });

function chains(): TablePlan['chains'] {
  return new Map([
    [
      'ways',
      {
        hook: `type filter hook postrouting priority ${AFTER_TRANSLATION}; policy accept;`,
        rules: [
          // Bridged frames are marked so by now, and do not say where they came from.
          `meta mark ${JUDGED_MARK} goto bridged`,
          // The machine's own: DHCP, metadata, errors.
          'meta iif 0 return',
          'oifname != @inner goto leaving',
          'iifname @inner goto between_networks',
          // A guest may be among those of the world: one of this machine, too.
          SENT,
          'goto coming',
        ],
      },
    ],
    ['leaving', jumped([SENT, FLOATING_OUT, 'oifname @external goto received'])],
    [
      // Guests on a network of the world are in the world: what they send there, and hear from there, is bridged.
      'in_the_world',
      {
        hook: `type filter hook forward priority ${AFTER_GROUPS}; policy accept;`,
        rules: [
          'iifname != @external return',
          'oifname != @external return',
          'meta mark and 0x80000000 != 0 return',
          'meta pkttype { broadcast, multicast } return',
          SENT,
          'counter name oifname . ether daddr map @ingress',
        ],
      },
    ],
    ['coming', jumped([...RECEIVED, ...FLOATING_IN])],
    ['received', jumped(RECEIVED)],
    // Between guests, unless an address of the world led there.
    ['between_networks', jumped([`${IS_TRANSLATED} goto around`])],
    ['around', jumped([SENT, FLOATING_OUT, 'goto coming'])],
    ['bridged', jumped([`${IS_TRANSLATED} goto around_bridged`])],
    [
      'around_bridged',
      jumped([
        'ct direction original counter name oifname . ct original ip saddr map @near',
        'ct direction reply counter name oifname . ct reply ip saddr map @near',
        FLOATING_OUT,
        'goto coming',
      ]),
    ],
  ]);
}

const SENT = 'counter name iifname . ether saddr map @egress';
const FLOATING_OUT = `${IS_TRANSLATED} counter name ip saddr map @floating_out`;
/** By the next hop, as groups are judged: beyond a guest that routes, it is that guest who receives. */
const RECEIVED = [
  'counter name oifname . rt ip nexthop map @ingress4',
  'counter name oifname . rt ip6 nexthop map @ingress6',
];
const FLOATING_IN = [
  `${IS_TRANSLATED} ct direction original counter name ct original ip daddr map @floating_in`,
  `${IS_TRANSLATED} ct direction reply counter name ct reply ip daddr map @floating_in`,
];
