import { addressHex, versionOf } from '../addresses.ts';
import { gatewaysOf } from '../gateways.ts';
import type { Inventory } from '../inventory.ts';
import { gatewayMac, METADATA_ADDRESS, type Names, SEGMENT_NUMBER } from '../names.ts';
import { segmentDevices, type Uplinks } from '../segments/uplinks.ts';
import { FOR_HOLDER } from './plan-holder-rules.ts';
import type { ChainPlan, SetPlan } from './ruleset.ts';

/** Every machine's gateway has the same address: the others would take theirs for a double, and switches its place. */
const GATEWAY_TO_ALL = 'ether saddr @gateways ether daddr and 01:00:00:00:00:00 == 01:00:00:00:00:00 drop';

type Way = 'iifname' | 'oifname';

/** Sets of the bridge table about what connects networks to other machines. */
export function planSegmentSets(names: Names, inventory: Inventory, uplinks: Uplinks): Map<string, SetPlan> {
  const set = (type: string): SetPlan => ({ type, elements: new Map() });
  const segments = set('type ifname');
  /** Of networks whose gateway each machine is. */
  const served = set('type ifname');
  const gateways4 = set('type ifname . ipv4_addr');
  const gateways6 = set('typeof iifname . @th,64,128');
  for (const { spec } of inventory.networks.values()) {
    const own = gatewaysOf(inventory, spec.id);
    for (const device of segmentDevices(names, spec, uplinks)) {
      segments.elements.set(`"${device}"`, '');
      // Each machine answers its own guests.
      gateways4.elements.set(`"${device}" . ${METADATA_ADDRESS}`, '');
      if (own.length > 0) served.elements.set(`"${device}"`, '');
      for (const address of own) {
        if (versionOf(address) === 4) gateways4.elements.set(`"${device}" . ${address}`, '');
        else gateways6.elements.set(`"${device}" . ${addressHex(address)}`, '');
      }
    }
  }
  return new Map(Object.entries({ segments, served, gateways4, gateways6 }));
}

/**
 * What goes between machines: frames of guests, which the receiver's machine judges. Gateways, DHCP and router
 * advertisements are each machine's own, and stay there.
 * @param holds - whether this machine holds addresses that guests of others share
 */
export function segmentChains(holds: boolean): [string, ChainPlan][] {
  const mark = `meta mark set ${SEGMENT_NUMBER}`;
  return [
    [
      'from_segments',
      {
        hook: null,
        // The bridge itself takes what a tap sends to its gateway.
        rules: ['ether daddr @gateways drop', ...ownOnly('iifname'), mark, ...(holds ? FOR_HOLDER : [])],
      },
    ],
    ['to_segments', { hook: null, rules: [...ownOnly('oifname'), mark] }],
    [
      'host_to_segments',
      {
        hook: 'type filter hook output priority -1; policy accept;',
        rules: ['oifname != @segments return', GATEWAY_TO_ALL, ...ownOnly('oifname')],
      },
    ],
  ];
}

/** Held both ways: what is kept in here is kept out there, too, where other machines or strangers are not as ours are. */
function ownOnly(way: Way): string[] {
  return [
    `ether type arp ${way} . arp saddr ip @gateways4 drop`,
    `ether type arp ${way} . arp daddr ip @gateways4 drop`,
    'udp dport { 67, 547 } drop',
    'udp sport { 67, 547 } drop',
    `${way} @served icmpv6 type { nd-router-solicit, nd-router-advert, nd-redirect } drop`,
    `icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } ${way} . @th,64,128 @gateways6 drop`,
  ];
}

/** The gateway's address is on every machine, but for those of the world, where each machine has one of its own. */
export function gatewayMacs(inventory: Inventory): string[] {
  return [...inventory.networks.values()].flatMap(({ spec }) => (spec.external ? [] : [gatewayMac(spec.id)]));
}
