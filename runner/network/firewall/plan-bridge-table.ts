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
  return {
    family: 'bridge',
    name: names.table,
    sets: new Map([
      ...Object.entries({ ...sets, ...frameMeters() }),
      ...planSegmentSets(names, inventory, uplinks),
      ...planHolderSets(names, inventory, uplinks),
      ...qos.sets,
    ]),
    chains: new Map([...chains(names), ...segmentChains(), ...qos.chains]),
  };
}

type Element = [set: keyof ReturnType<typeof emptySets>, key: string, value: string];

const elementsOf = perObject((names: Names, { spec, number }: Numbered<PortSpec>): Element[] => {
  const tap = `"${names.tap(spec.id)}"`;
  const elements: Element[] = [
    ['taps', tap, ''],
    ['port_marks', tap, String(number)],
    ['same_tap', `${tap} . ${tap}`, ''],
    ['port_macs', `${tap} . ${spec.mac_address}`, ''],
  ];
  if (!spec.port_security_enabled) return elements;
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
    secured: set('type ifname'),
    port_marks: set('type ifname : mark'),
    /** What comes back to its sender. */
    same_tap: set('type ifname . ifname'),
    port_macs: set('type ifname . ether_addr'),
    own_macs: set('type ifname . ether_addr'),
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
    [
      'from_taps',
      {
        hook: base('prerouting', -300),
        rules: [
          `iifname != ${taps} return`,
          'iifname != @taps drop',
          'iifname @secured jump guard',
          'jump limits',
          'meta mark set iifname map @port_marks',
          'ether type ip ether daddr @gateways jump to_holder',
          `ether daddr @gateways meta mark set meta mark or 0x${TO_GATEWAY_BIT.toString(16)}`,
        ],
      },
    ],
    // Before br_netfilter's hook at 0, which shows the frame to the inet table.
    [
      'between_taps',
      {
        hook: base('forward', -200),
        rules: [
          `oifname != ${taps} return`,
          'iifname . oifname @same_tap oifname . ether daddr != @port_macs drop',
          'meta mark set oifname map @port_marks',
        ],
      },
    ],
    // The last word. The groups are judged in the inet table: when that is gone, or does not see bridged frames, or a
    // frame is of a kind that it never sees, nothing passes.
    [
      'to_taps',
      {
        hook: base('postrouting', 200),
        rules: [
          `oifname != ${taps} return`,
          'oifname != @taps drop',
          'oifname != @secured return',
          `ether type { ip, ip6 } meta mark ${JUDGED_MARK} accept`,
          'ether type != arp drop',
        ],
      },
    ],
    ['limits', frameLimits()],
    ['to_holder', TO_HOLDER],
    [
      'guard',
      jumped([
        'iifname . ether saddr != @own_macs drop',
        'ether type vmap { arp : goto guard_arp, ip : goto guard_ip4, ip6 : goto guard_ip6 }',
        'drop',
      ]),
    ],
    [
      'guard_arp',
      jumped([
        `${ARP} iifname . arp saddr ether . arp saddr ip @own_ip4 return`,
        `${ARP} iifname . arp saddr ether @own_macs arp saddr ip 0.0.0.0 return`,
        `${ARP} iifname . arp saddr ether . arp saddr ip @pairs_ip4 return`,
        'drop',
      ]),
    ],
    [
      'guard_ip4',
      jumped([
        'ip saddr 0.0.0.0 udp sport 68 udp dport 67 return',
        'udp sport 67 drop',
        'iifname . ether saddr . ip saddr @own_ip4 return',
        'iifname . ether saddr . ip saddr @pairs_ip4 return',
        'drop',
      ]),
    ],
    [
      'guard_ip6',
      jumped([
        // The groups' chains say so again of what was in pieces; here it holds for all, whatever becomes of that table.
        'icmpv6 type { nd-router-advert, nd-redirect } drop',
        'udp sport 547 drop',
        'icmpv6 type nd-neighbor-advert iifname . @th,64,128 != @nd_targets iifname . @th,64,128 != @nd_ranges drop',
        `ip6 saddr :: icmpv6 type { nd-neighbor-solicit, nd-router-solicit, ${MLD_REPORTS} } return`,
        'iifname . ether saddr . ip6 saddr @own_ip6 return',
        'iifname . ether saddr . ip6 saddr @pairs_ip6 return',
        'drop',
      ]),
    ],
  ]);
}
