import type { PortSpec } from '../../../shared/specs/network.ts';
import { linkLocalOf } from '../addresses.ts';
import { type Range, rangeOf, rangeText } from '../intranet/ranges.ts';
import type { Inventory, Numbered } from '../inventory.ts';
import { JUDGED_MARK, type Names, TO_GATEWAY_BIT } from '../names.ts';
import { planPortQos } from '../qos/plan-port-qos.ts';
import { NO_UPLINKS, type Uplinks } from '../segments/uplinks.ts';
import { perObject } from './per-object.ts';
import { planHolderSets, TO_HOLDER } from './plan-holder-rules.ts';
import { frameLimits, frameMeters } from './plan-limits.ts';
import { gatewayMacs, planSegmentSets, segmentChains } from './plan-segment-rules.ts';
import type { ChainPlan, SetPlan, TablePlan } from './ruleset.ts';

/** Of IPv4 over Ethernet, and nothing else. */
const ARP = 'arp htype 1 arp ptype 0x0800 arp hlen 6 arp plen 4';
/** The lists of addresses name hardware addresses, too; what passes by another rule needs this one. */
const UNKNOWN_MAC = 'iifname . ether saddr != @own_macs drop';
/** Multicast listener reports: sent before an address is sure. */
const MLD_REPORTS = '131, 132, 143';

/**
 * What a tap may send, whatever the security groups say: its own addresses, and nothing that a DHCP server or router
 * says. A frame that passes carries its port's number as mark; on the way out it carries the receiver's. Lists say what
 * may pass, so that a malformed frame that no list matches is dropped.
 */
export function planBridgeTable(names: Names, inventory: Inventory, uplinks: Uplinks = NO_UPLINKS): TablePlan {
  const sets = emptySets();
  for (const port of inventory.ports.values()) {
    for (const [set, key, value] of elementsOf(names, port)) sets[set].elements.set(key, value);
  }
  for (const mac of gatewayMacs(inventory)) sets.gateways.elements.set(mac, '');
  const qos = planPortQos(names, inventory);
  const holderSets = planHolderSets(names, inventory, uplinks);
  const holds = (holderSets.get('taken')?.elements.size ?? 0) > 0;
  return {
    family: 'bridge',
    name: names.table,
    sets: new Map([
      ...Object.entries({ ...sets, ...frameMeters() }),
      ...planSegmentSets(names, inventory, uplinks),
      ...holderSets,
      ...qos.sets,
    ]),
    chains: new Map([...chains(names), ...segmentChains(holds), ...qos.chains]),
  };
}

type Element = [set: keyof ReturnType<typeof emptySets>, key: string, value: string];

const elementsOf = perObject((names: Names, { spec, number }: Numbered<PortSpec>): Element[] => {
  const tap = `"${names.tap(spec.id)}"`;
  const elements: Element[] = [
    ['taps', tap, ''],
    ['senders', tap, `goto ${spec.port_security_enabled ? 'from_secured' : 'from_unsecured'}`],
    ['port_marks', tap, String(number)],
    ['same_tap', `${tap} . ${tap}`, ''],
    ['port_macs', `${tap} . ${spec.mac_address}`, ''],
  ];
  if (!spec.port_security_enabled) return [...elements, ['macs_of_any', tap, spec.mac_address]];
  const own = [...spec.fixed_ips.map((fixed) => fixed.ip_address), linkLocalOf(spec.mac_address)];
  return [
    ...elements,
    ['secured', tap, ''],
    ...own.flatMap((address) => sender(tap, spec.mac_address, rangeOf(address))),
    // Neutron lets a port with another hardware address have the link-local address that follows from it.
    ...spec.allowed_address_pairs.flatMap(({ mac_address: mac, ip_address }) => [
      ...sender(tap, mac, rangeOf(linkLocalOf(mac))),
      ...sender(tap, mac, rangeOf(ip_address)),
    ]),
  ];
});

/** Lets a tap send from an address, or a range, with a hardware address. */
function sender(tap: string, mac: string, range: Range): Element[] {
  const single = range.first === range.last;
  const elements: Element[] = [
    ['own_macs', `${tap} . ${mac}`, ''],
    [`${single ? 'own' : 'pairs'}_ip${range.version}`, `${tap} . ${mac} . ${rangeText(range)}`, ''],
  ];
  if (range.version === 4) return elements;
  if (single) return [...elements, ['nd_targets', `${tap} . ${hex(range.first)}`, '']];
  return [...elements, ['nd_ranges', `${tap} . ${hex(range.first)}-${hex(range.last)}`, '']];
}

const hex = (value: bigint) => `0x${value.toString(16).padStart(32, '0')}`;

function emptySets() {
  const set = (type: string): SetPlan => ({ type, elements: new Map() });
  return {
    taps: set('type ifname'),
    /** Where it goes on with what a tap sends. */
    senders: set('type ifname : verdict'),
    secured: set('type ifname'),
    port_marks: set('type ifname : mark'),
    /** What comes back to its sender. */
    same_tap: set('type ifname . ifname'),
    port_macs: set('type ifname . ether_addr'),
    own_macs: set('type ifname . ether_addr'),
    /** Of ports without port security, whose guests may send with any. */
    macs_of_any: set('type ifname : ether_addr'),
    own_ip4: set('type ifname . ether_addr . ipv4_addr'),
    own_ip6: set('type ifname . ether_addr . ipv6_addr'),
    /** Ranges, which cost more to look up. */
    pairs_ip4: set('type ifname . ether_addr . ipv4_addr; flags interval'),
    pairs_ip6: set('type ifname . ether_addr . ipv6_addr; flags interval'),
    nd_targets: set('typeof iifname . @th,64,128'),
    nd_ranges: set('typeof iifname . @th,64,128; flags interval'),
    gateways: set('type ether_addr'),
  };
}

function chains(names: Names): TablePlan['chains'] {
  const taps = `"${names.tapPrefix}*"`;
  const base = (hook: string, priority: number) => `type filter hook ${hook} priority ${priority}; policy accept;`;
  const jumped = (rules: string[]): ChainPlan => ({ hook: null, rules });
  return new Map<string, ChainPlan>([
    // A hook costs each frame as much as several rules: there is one for a way.
    [
      'coming',
      {
        hook: base('prerouting', -300),
        rules: [`iifname ${taps} goto from_taps`, 'iifname @segments goto from_segments'],
      },
    ],
    ['from_taps', jumped(['iifname vmap @senders', 'drop'])],
    ['from_secured', jumped(['jump guard', 'goto from_any'])],
    // What is routed is counted by its hardware address: with one that is made up it would be nobody's.
    ['from_unsecured', jumped(['ether daddr @gateways ether saddr set iifname map @macs_of_any', 'goto from_any'])],
    [
      'from_any',
      jumped([
        // ARP has no such protocol, so that the first rule does not match it.
        'meta l4proto != tcp jump limits',
        'ether type arp jump limits',
        'meta mark set iifname map @port_marks',
        'ether daddr @gateways goto to_gateway',
      ]),
    ],
    [
      'to_gateway',
      jumped([
        'ether type ip jump to_holder',
        `ether daddr @gateways meta mark set meta mark or 0x${TO_GATEWAY_BIT.toString(16)}`,
      ]),
    ],
    // Before br_netfilter's hook at 0, which shows the frame to the inet table.
    [
      'passing',
      {
        hook: base('forward', -200),
        rules: [`oifname ${taps} goto between_taps`, 'oifname @segments goto to_segments'],
      },
    ],
    [
      'between_taps',
      jumped([
        'iifname . oifname @same_tap oifname . ether daddr != @port_macs drop',
        'meta mark set oifname map @port_marks',
      ]),
    ],
    // The last word. The groups are judged in the inet table: when that is gone, or does not see bridged frames, or a
    // frame is of a kind that it never sees, nothing passes.
    [
      'to_taps',
      {
        hook: base('postrouting', 200),
        rules: [
          `oifname != ${taps} return`,
          `meta mark ${JUDGED_MARK} ether type { ip, ip6 } oifname @taps accept`,
          'oifname != @taps drop',
          'oifname @secured ether type != arp drop',
        ],
      },
    ],
    ['limits', frameLimits()],
    ['to_holder', TO_HOLDER],
    ['guard', jumped(['ether type vmap { arp : goto guard_arp, ip : goto guard_ip4, ip6 : goto guard_ip6 }', 'drop'])],
    [
      'guard_arp',
      jumped([
        UNKNOWN_MAC,
        `${ARP} iifname . arp saddr ether . arp saddr ip @own_ip4 return`,
        `${ARP} iifname . arp saddr ether @own_macs arp saddr ip 0.0.0.0 return`,
        `${ARP} iifname . arp saddr ether . arp saddr ip @pairs_ip4 return`,
        'drop',
      ]),
    ],
    [
      'guard_ip4',
      jumped([
        'udp sport 67 drop',
        'iifname . ether saddr . ip saddr @own_ip4 return',
        'iifname . ether saddr . ip saddr @pairs_ip4 return',
        UNKNOWN_MAC,
        'ip saddr 0.0.0.0 udp sport 68 udp dport 67 return',
        'drop',
      ]),
    ],
    [
      'guard_ip6',
      jumped([
        // In pieces, too: the first one says what it is, or Linux does not put them together (RFC 8200, section 4.5).
        'icmpv6 type { nd-router-advert, nd-redirect } drop',
        'udp sport 547 drop',
        'icmpv6 type nd-neighbor-advert iifname . @th,64,128 != @nd_targets iifname . @th,64,128 != @nd_ranges drop',
        'iifname . ether saddr . ip6 saddr @own_ip6 return',
        'iifname . ether saddr . ip6 saddr @pairs_ip6 return',
        UNKNOWN_MAC,
        `ip6 saddr :: icmpv6 type { nd-neighbor-solicit, nd-router-solicit, ${MLD_REPORTS} } return`,
        'drop',
      ]),
    ],
  ]);
}
