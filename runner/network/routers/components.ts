import type { NetworkSpec } from '../../../shared/specs/network.ts';
import type { RouterSpec } from '../../../shared/specs/router.ts';
import { covers, joined, type Range, rangeOf } from '../intranet/ranges.ts';
import type { Inventory, Numbered } from '../inventory.ts';

/** Routers that route: those that are up. */
export const routersOf = (inventory: Inventory): RouterSpec[] =>
  [...inventory.all('router').values()].map(({ spec }) => spec).filter((router) => router.admin_state_up);

/** The networks here that a router joins. */
export function networksOf(inventory: Inventory, router: RouterSpec): Numbered<NetworkSpec>[] {
  const ids = new Set(router.interfaces.map((one) => one.network_id));
  return [...ids].map((id) => inventory.networks.get(id)).filter((network) => network !== undefined);
}

/** Networks that routers join, each group of them once; a network without a router is a group of one. */
export function componentsOf(inventory: Inventory): Numbered<NetworkSpec>[][] {
  const groupOf = new Map<string, Set<string>>();
  for (const id of inventory.networks.keys()) groupOf.set(id, new Set([id]));
  for (const router of routersOf(inventory)) {
    const ids = networksOf(inventory, router).map(({ spec }) => spec.id);
    const together = new Set(ids.flatMap((id) => [...(groupOf.get(id) ?? [])]));
    for (const id of together) groupOf.set(id, together);
  }
  return [...new Set(groupOf.values())].map((ids) =>
    [...ids].map((id) => inventory.networks.get(id)).filter((network) => network !== undefined),
  );
}

/**
 * The connection tracking zone of each network: the lowest number of those that routers join it with. Addresses are
 * unique within that, and a connection between two of its networks is one connection on every machine it crosses.
 */
export function zonesOf(inventory: Inventory): Map<string, number> {
  const zones = new Map<string, number>();
  for (const component of componentsOf(inventory)) {
    const zone = Math.min(...component.map(({ number }) => number));
    for (const { spec } of component) zones.set(spec.id, zone);
  }
  return zones;
}

/**
 * By network, all that is reached without leaving what routers join: the subnets, and what the routers send to guests. A
 * network without a router reaches nothing.
 */
export function insideOf(inventory: Inventory): Map<string, Range[]> {
  const inside = new Map<string, Range[]>();
  for (const component of componentsOf(inventory)) {
    const subnets = component.flatMap(({ spec }) => spec.subnets.map((subnet) => rangeOf(subnet.cidr)));
    const ids = new Set(component.map(({ spec }) => spec.id));
    const routers = routersOf(inventory).filter((router) =>
      networksOf(inventory, router).some(({ spec }) => ids.has(spec.id)),
    );
    const routes = routers
      .flatMap((router) => router.routes)
      .filter(({ nexthop }) => subnets.some((subnet) => covers(subnet, rangeOf(nexthop))))
      .map(({ destination }) => rangeOf(destination))
      // All of the world is no part of the component.
      .filter((range) => range.first !== 0n);
    const ranges = routers.length === 0 ? [] : joined([...subnets, ...routes]);
    for (const id of ids) inside.set(id, ranges);
  }
  return inside;
}

/** The router that a network's guests leave by: the one whose address is a subnet's gateway, else any with a gateway. */
export function wayOutOf(inventory: Inventory, network: NetworkSpec): RouterSpec | null {
  const candidates = routersOf(inventory)
    .filter((router) => router.interfaces.some((one) => one.network_id === network.id))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const isGateway = (router: RouterSpec) =>
    router.interfaces.some(({ subnet_id, ip_address }) =>
      network.subnets.some((subnet) => subnet.id === subnet_id && subnet.gateway_ip === ip_address),
    );
  const router = candidates.find(isGateway) ?? candidates.find((one) => one.gateway !== null) ?? null;
  return router?.gateway && inventory.networks.has(router.gateway.network_id) ? router : null;
}
