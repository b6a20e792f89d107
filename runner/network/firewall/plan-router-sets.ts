import type { NetworkSpec } from '../../../shared/specs/network.ts';
import type { PortForwardingSpec } from '../../../shared/specs/router.ts';
import { canonicalAddress, versionOf } from '../addresses.ts';
import { joined, type Range, rangeOf, rangeText, without } from '../intranet/ranges.ts';
import type { Inventory } from '../inventory.ts';
import type { Names } from '../names.ts';
import { insideOf, wayOutOf, zonesOf } from '../routers/components.ts';
import { floatingIpsOf, heldAddressesOf, portForwardingsOf } from '../routers/floating.ts';
import { ownAddresses, reachedFrom } from '../routers/plan-routes.ts';
import type { SetPlan } from './ruleset.ts';

type Sets = ReturnType<typeof emptySets>;
interface Plan {
  names: Names;
  inventory: Inventory;
  zones: Map<string, number>;
  sets: Sets;
}

/** What the rules of routers look up. Addresses of the world are told apart by the bridge of their external network. */
export function planRouterSets(names: Names, inventory: Inventory): Map<string, SetPlan> {
  const plan: Plan = { names, inventory, zones: zonesOf(inventory), sets: emptySets() };
  for (const { spec } of inventory.networks.values()) addNetwork(plan, spec);
  addBridgedZones(plan);
  addInside(plan);
  addHeld(plan);
  addFloatingIps(plan);
  addPortForwardings(plan);
  return new Map(Object.entries(plan.sets));
}

function emptySets() {
  const set = (type: string): SetPlan => ({ type, elements: new Map() });
  return {
    /** Bridges by what is on them: guests of tenants, or the world. */
    inner: set('type ifname'),
    external: set('type ifname'),
    zones: set('typeof iifname : ct zone'),
    /** Of what a guest sends to another one of its network: by its port. */
    bridged_zones: set('typeof meta mark : ct zone'),
    mark_zones: set('typeof meta mark : ct zone'),
    /** From where to where routers route. */
    passable: set('type ifname . ifname'),
    inside4: set('type ifname . ipv4_addr; flags interval'),
    inside6: set('type ifname . ipv6_addr; flags interval'),
    /** Ranges that the world reaches as they are. */
    inbound4: set('type ifname . ipv4_addr : mark; flags interval'),
    inbound6: set('type ifname . ipv6_addr : mark; flags interval'),
    inbound_zones4: set('typeof iifname . ip daddr : ct zone; flags interval'),
    inbound_zones6: set('typeof iifname . ip6 daddr : ct zone; flags interval'),
    /** Addresses of this machine that a network's guests reach, as gateways. */
    own4: set('type ifname . ipv4_addr'),
    own6: set('type ifname . ipv6_addr'),
    /** Bridges with the marks of what the machine itself asks there. */
    asked: set('type ifname . mark'),
    with_gateway: set('type ifname'),
    /** From where guests ask for addresses of the world. */
    asking: set('type ifname'),
    held: set('type ifname . ipv4_addr'),
    held_addresses: set('type ipv4_addr'),
    snat_to: set('type mark : ipv4_addr'),
    untranslated: set('type mark'),
    plain_out: set('type ifname'),
    /** What guests are, of networks that leave untranslated: the ranges of all that routers join with them. */
    plain_from4: set('type ifname . ipv4_addr; flags interval'),
    plain_from6: set('type ifname . ipv6_addr; flags interval'),
    floating_to: set('type ipv4_addr : ipv4_addr'),
    floating_marks: set('type ipv4_addr : mark'),
    has_floating: set('type ifname . ipv4_addr'),
    floating_of: set('type mark . ipv4_addr : ipv4_addr'),
    floating_addresses: set('type ipv4_addr'),
    /** An address of the world and whose it is. */
    translated: set('type ipv4_addr . ipv4_addr'),
    /** Bridges of guests that have addresses of the world, and those: they answer other guests of this machine. */
    hairpins: set('type ifname . ipv4_addr'),
    floating_zones: set('typeof ip daddr : ct zone'),
    forwarded_to: set('type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; flags interval'),
    forwarded_marks: set('type ipv4_addr . inet_proto . inet_service : mark; flags interval'),
    forwarded_inner: set('type ifname . ipv4_addr . inet_proto . inet_service; flags interval'),
  };
}

const bridgeOf = ({ names }: Plan, networkId: string) => `"${names.bridge(networkId)}"`;
const markOf = ({ names, inventory }: Plan, networkId: string) =>
  names.networkMark(inventory.networks.get(networkId)?.number ?? 0);

function addNetwork(plan: Plan, spec: NetworkSpec): void {
  const { sets, inventory, zones } = plan;
  const bridge = bridgeOf(plan, spec.id);
  const mark = markOf(plan, spec.id);
  sets[spec.external ? 'external' : 'inner'].elements.set(bridge, '');
  sets.zones.elements.set(bridge, String(zones.get(spec.id)));
  sets.mark_zones.elements.set(mark, String(zones.get(spec.id)));
  sets.passable.elements.set(`${bridge} . ${bridge}`, '');
  sets.asked.elements.set(`${bridge} . ${mark}`, '');
  addOwn(plan, bridge, spec);
  for (const other of reachedFrom(inventory, spec)) {
    addOwn(plan, bridge, other.spec);
    // There and back: either side may ask.
    sets.passable.elements.set(`${bridge} . ${bridgeOf(plan, other.spec.id)}`, '');
    sets.passable.elements.set(`${bridgeOf(plan, other.spec.id)} . ${bridge}`, '');
  }
  const { gateway } = wayOutOf(inventory, spec) ?? {};
  if (gateway || (spec.snat && !spec.external)) sets.asking.elements.set(bridge, '');
  if (!gateway) return;
  const outside = bridgeOf(plan, gateway.network_id);
  sets.passable.elements.set(`${bridge} . ${outside}`, '');
  sets.with_gateway.elements.set(bridge, '');
  if (!gateway.enable_snat) {
    sets.untranslated.elements.set(mark, '');
    sets.plain_out.elements.set(bridge, '');
  } else if (gateway.snat_ip) sets.snat_to.elements.set(mark, canonicalAddress(gateway.snat_ip));
  for (const { cidr, ip_version } of spec.subnets) {
    if (ip_version === 4 && gateway.enable_snat) continue;
    const zone = String(zones.get(spec.id));
    addInbound(sets[`inbound${ip_version}`], outside, rangeOf(cidr), mark);
    addInbound(sets[`inbound_zones${ip_version}`], outside, rangeOf(cidr), zone);
  }
}

function addOwn({ sets, inventory }: Plan, bridge: string, network: NetworkSpec): void {
  for (const address of ownAddresses(inventory, network)) {
    sets[`own${versionOf(address)}`].elements.set(`${bridge} . ${address}`, '');
  }
}

/** Tenants with the same ranges behind one external network: the first has them, as one cable can have an address once. */
function addInbound(set: SetPlan, outside: string, range: Range, value: string): void {
  const taken = [...set.elements.keys()]
    .filter((key) => key.startsWith(`${outside} . `))
    .map((key) => {
      const [first = '', last = first] = key.slice(outside.length + 3).split('-');
      return { version: range.version, first: rangeOf(first).first, last: rangeOf(last).last };
    });
  for (const free of without([range], taken)) set.elements.set(`${outside} . ${rangeText(free)}`, value);
}

function addBridgedZones({ inventory, zones, sets }: Plan): void {
  for (const { spec, number } of inventory.ports.values()) {
    const network = inventory.networks.get(spec.network_id)?.spec;
    if (!network || network.external) continue;
    sets.bridged_zones.elements.set(String(number), String(zones.get(network.id)));
  }
}

function addInside(plan: Plan): void {
  for (const [id, ranges] of insideOf(plan.inventory)) {
    const spec = plan.inventory.networks.get(id)?.spec;
    if (!spec || spec.external) continue;
    for (const range of ranges) {
      plan.sets[`inside${range.version}`].elements.set(`${bridgeOf(plan, id)} . ${rangeText(range)}`, '');
    }
    addPlainFrom(plan, spec, ranges);
  }
}

/** @param inside - all that routers join with the network; none where it has no router */
function addPlainFrom(plan: Plan, spec: NetworkSpec, inside: Range[]): void {
  const { gateway } = wayOutOf(plan.inventory, spec) ?? {};
  const isPlain = { 4: gateway?.enable_snat === false, 6: Boolean(gateway) || spec.snat };
  const own = inside.length > 0 ? inside : joined(spec.subnets.map(({ cidr }) => rangeOf(cidr)));
  for (const range of own) {
    if (!isPlain[range.version]) continue;
    plan.sets[`plain_from${range.version}`].elements.set(`${bridgeOf(plan, spec.id)} . ${rangeText(range)}`, '');
  }
}

function addHeld(plan: Plan): void {
  for (const [networkId, addresses] of heldAddressesOf(plan.inventory)) {
    for (const address of addresses) {
      plan.sets.held.elements.set(`${bridgeOf(plan, networkId)} . ${address}`, '');
      plan.sets.held_addresses.elements.set(address, '');
    }
  }
}

function addFloatingIps(plan: Plan): void {
  const { sets, zones } = plan;
  for (const spec of floatingIpsOf(plan.inventory)) {
    const [outer, inner] = [canonicalAddress(spec.floating_ip_address), canonicalAddress(spec.fixed_ip_address)];
    const bridge = bridgeOf(plan, spec.network_id);
    const mark = markOf(plan, spec.network_id);
    sets.floating_to.elements.set(outer, inner);
    sets.floating_marks.elements.set(outer, mark);
    sets.floating_zones.elements.set(outer, String(zones.get(spec.network_id)));
    sets.has_floating.elements.set(`${bridge} . ${inner}`, '');
    sets.floating_of.elements.set(`${mark} . ${inner}`, outer);
    sets.floating_addresses.elements.set(outer, '');
    sets.translated.elements.set(`${outer} . ${inner}`, '');
    sets.hairpins.elements.set(`${bridge} . ${outer}`, '');
  }
}

function addPortForwardings(plan: Plan): void {
  const { sets, zones } = plan;
  for (const spec of portForwardingsOf(plan.inventory)) {
    if (!spec.holder || versionOf(spec.internal_ip_address) !== 4) continue;
    const [outer, inner] = [canonicalAddress(spec.floating_ip_address), canonicalAddress(spec.internal_ip_address)];
    const bridge = bridgeOf(plan, spec.network_id);
    for (const { from, to } of pairsOfPorts(spec)) {
      const key = `${outer} . ${spec.protocol} . ${from}`;
      if (sets.forwarded_to.elements.has(key)) continue;
      sets.forwarded_to.elements.set(key, `${inner} . ${to}`);
      sets.forwarded_marks.elements.set(key, markOf(plan, spec.network_id));
    }
    const [low, high] = spec.internal_ports ?? [0, 0];
    if (spec.internal_ports) {
      sets.forwarded_inner.elements.set(`${bridge} . ${inner} . ${spec.protocol} . ${low}-${high}`, '');
    }
    // Guests of one router, so of one zone: errors name no port of the address.
    sets.floating_zones.elements.set(outer, String(zones.get(spec.network_id)));
    sets.translated.elements.set(`${outer} . ${inner}`, '');
    sets.hairpins.elements.set(`${bridge} . ${outer}`, '');
  }
}

/** Outer ports with the inner port of each; a range that ends at one inner port stays a range. */
function pairsOfPorts({ external_ports, internal_ports }: PortForwardingSpec): { from: string; to: number }[] {
  if (!external_ports || !internal_ports) return [];
  const [low, high] = external_ports;
  const [first, last] = internal_ports;
  if (first === last) return [{ from: low === high ? String(low) : `${low}-${high}`, to: first }];
  return Array.from({ length: high - low + 1 }, (_, step) => ({ from: String(low + step), to: first + step }));
}
