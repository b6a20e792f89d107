import { addressHex, canonicalAddress, linkLocalOf, versionOf } from '../addresses.ts';
import type { Inventory } from '../inventory.ts';
import { type Names, TO_GATEWAY_BIT } from '../names.ts';
import { NO_UPLINKS, type Uplinks } from '../segments/uplinks.ts';
import { gatewayMacs, planSegmentSets, segmentChains } from './plan-segment-rules.ts';
import type { ChainPlan, SetPlan, TablePlan } from './ruleset.ts';

/** Multicast listener reports: sent before an address is sure. */
const MLD_REPORTS = '131, 132, 143';

/**
 * What a tap may send, whatever the security groups say: its own addresses, and nothing that a DHCP server or router
 * says. A frame that passes carries its port's number as mark; on the way out it carries the receiver's. Lists say what
 * may pass, so that a malformed frame that no list matches is dropped.
 */
export function planBridgeTable(names: Names, inventory: Inventory, uplinks: Uplinks = NO_UPLINKS): TablePlan {
  const sets = emptySets();
  for (const { spec, number } of inventory.ports.values()) {
    const tap = `"${names.tap(spec.id)}"`;
    sets.taps.elements.set(tap, '');
    sets.port_marks.elements.set(tap, String(number));
    if (!spec.port_security_enabled) continue;
    sets.secured.elements.set(tap, '');
    sets.own_macs.elements.set(`${tap} . ${spec.mac_address}`, '');
    const addresses = spec.fixed_ips.map((fixed) => canonicalAddress(fixed.ip_address));
    for (const address of [...addresses, linkLocalOf(spec.mac_address)]) {
      if (versionOf(address) === 4) sets.own_ip4.elements.set(`${tap} . ${address}`, '');
      else {
        sets.own_ip6.elements.set(`${tap} . ${address}`, '');
        sets.nd_targets.elements.set(`${tap} . ${addressHex(address)}`, '');
      }
    }
  }
  for (const mac of gatewayMacs(inventory)) sets.gateways.elements.set(mac, '');
  return {
    family: 'bridge',
    name: names.table,
    sets: new Map([...Object.entries(sets), ...planSegmentSets(names, inventory, uplinks)]),
    chains: new Map([...chains(names), ...segmentChains()]),
  };
}

function emptySets() {
  const set = (type: string): SetPlan => ({ type, elements: new Map() });
  return {
    taps: set('type ifname'),
    secured: set('type ifname'),
    port_marks: set('type ifname : mark'),
    own_macs: set('type ifname . ether_addr'),
    own_ip4: set('type ifname . ipv4_addr'),
    own_ip6: set('type ifname . ipv6_addr'),
    nd_targets: set('typeof iifname . @th,64,128'),
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
          'meta mark set iifname map @port_marks',
          `ether daddr @gateways meta mark set meta mark or 0x${TO_GATEWAY_BIT.toString(16)}`,
        ],
      },
    ],
    // Before br_netfilter's hook at 0, which shows the frame to the inet table.
    [
      'between_taps',
      {
        hook: base('forward', -200),
        rules: [`oifname != ${taps} return`, 'oifname != @taps drop', 'meta mark set oifname map @port_marks'],
      },
    ],
    ['to_taps', { hook: base('output', 0), rules: [`oifname ${taps} oifname != @taps drop`] }],
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
        'arp htype 1 arp ptype 0x0800 arp hlen 6 arp plen 4 iifname . arp saddr ether @own_macs iifname . arp saddr ip @own_ip4 return',
        'arp htype 1 arp ptype 0x0800 arp hlen 6 arp plen 4 iifname . arp saddr ether @own_macs arp saddr ip 0.0.0.0 return',
        'drop',
      ]),
    ],
    [
      'guard_ip4',
      jumped([
        'ip saddr 0.0.0.0 udp sport 68 udp dport 67 return',
        'udp sport 67 drop',
        'iifname . ip saddr @own_ip4 return',
        'drop',
      ]),
    ],
    [
      'guard_ip6',
      jumped([
        'icmpv6 type { nd-router-advert, nd-redirect } drop',
        'udp sport 547 drop',
        'icmpv6 type nd-neighbor-advert iifname . @th,64,128 != @nd_targets drop',
        `ip6 saddr :: icmpv6 type { nd-neighbor-solicit, nd-router-solicit, ${MLD_REPORTS} } return`,
        'iifname . ip6 saddr @own_ip6 return',
        'drop',
      ]),
    ],
  ]);
}
