import type { PortForwardingSpec } from '../../../shared/specs/router.ts';
import { canonicalAddress } from '../addresses.ts';
import { type Range, rangeText } from '../intranet/ranges.ts';
import type { Inventory } from '../inventory.ts';
import { gatewayMac, holderMac, METADATA_ADDRESS, type Names } from '../names.ts';
import { insideOf } from '../routers/components.ts';
import { portForwardingsOf } from '../routers/floating.ts';
import { segmentDevices, type Uplinks } from '../segments/uplinks.ts';
import { ICMP_ERRORS } from './plan-router-chains.ts';
import type { ChainPlan, SetPlan } from './ruleset.ts';

/** Protocol and destination port of the packet that an ICMP error is about, whose header has no options. */
const ABOUT = '@th,136,8 . @th,240,16';
const PROTOCOL_NUMBERS: Record<string, number> = { tcp: 6, udp: 17, dccp: 33, sctp: 132 };

/**
 * Sets of the bridge table about forwarded ports whose guest and holder are on different machines. The guest's machine
 * leads its answers, which go to the gateway, to the holder instead, which takes them as its gateway would.
 */
export function planHolderSets(names: Names, inventory: Inventory, uplinks: Uplinks): Map<string, SetPlan> {
  const set = (type: string): SetPlan => ({ type, elements: new Map() });
  const place = 'ifname . ipv4_addr . inet_proto . inet_service';
  const sets = {
    /** By what answers leave a tap as, the hardware address that the holder has for them. */
    holders: set(`type ${place} : ether_addr; flags interval`),
    holders_of_errors: set(`typeof iifname . ${ABOUT} : ether daddr; flags interval`),
    /** Where routers lead without the world: there a forwarded port is one like any other. */
    near: set('type ifname . ipv4_addr; flags interval'),
    /** Of the holder: what may come for it by a segment, under which hardware address, and who takes it. */
    answering: set(`type ${place}; flags interval`),
    taken: set('type ifname . ether_addr : ether_addr'),
  };
  const inside = insideOf(inventory);
  for (const spec of portForwardingsOf(inventory)) {
    if (!spec.internal_ports) continue;
    const ports = spec.internal_ports.join('-');
    const answers = `${canonicalAddress(spec.internal_ip_address)} . ${spec.protocol} . ${ports}`;
    const mac = holderMac(spec.network_id, spec.floating_ip_address);
    if (spec.holder) {
      for (const device of devicesOf(names, inventory, uplinks, spec)) {
        sets.answering.elements.set(`"${device}" . ${answers}`, '');
        sets.taken.elements.set(`"${device}" . ${mac}`, gatewayMac(spec.network_id));
      }
    } else if (inventory.ports.has(spec.port_id)) {
      const tap = `"${names.tap(spec.port_id)}"`;
      sets.holders.elements.set(`${tap} . ${answers}`, mac);
      const about = `${PROTOCOL_NUMBERS[spec.protocol]} . ${ports}`;
      sets.holders_of_errors.elements.set(`${tap} . ${about}`, mac);
      addNear(sets.near, tap, inside.get(spec.network_id) ?? []);
    }
  }
  return new Map(Object.entries(sets));
}

function devicesOf(names: Names, inventory: Inventory, uplinks: Uplinks, { network_id }: PortForwardingSpec): string[] {
  const network = inventory.networks.get(network_id)?.spec;
  return network ? segmentDevices(names, network, uplinks) : [];
}

function addNear(near: SetPlan, tap: string, ranges: readonly Range[]): void {
  for (const range of ranges) if (range.version === 4) near.elements.set(`${tap} . ${rangeText(range)}`, '');
}

/** What a tap sends to its gateway, where it answers what a holder on another machine sent. */
export const TO_HOLDER: ChainPlan = {
  hook: null,
  rules: [
    `ip daddr ${METADATA_ADDRESS} return`,
    'iifname . ip daddr @near return',
    'ether daddr set iifname . ip saddr . ip protocol . th sport map @holders',
    `${ICMP_ERRORS} ether daddr set iifname . ${ABOUT} map @holders_of_errors`,
  ],
};

/** What the holder takes as if it had been sent to its gateway. */
export const FOR_HOLDER = ['iifname . ip saddr . ip protocol . th sport @answering', ICMP_ERRORS].map(
  (match) => `${match} ether daddr set iifname . ether daddr map @taken meta pkttype set host`,
);
