import type { NetworkSpec } from '../../../shared/specs/network.ts';
import type { RouterSpec } from '../../../shared/specs/router.ts';
import type { Inventory } from '../inventory.ts';
import { covers, joined, type Range, rangeOf, without } from './ranges.ts';

/** Whether frames leave the network's bridge for cables that others are on, too. */
export const isWired = ({ segment }: NetworkSpec): boolean => segment.type === 'flat' || segment.type === 'vlan';

/**
 * What of a network's own ranges is its guests', whatever is declared. On a cable, where machines of the intranet may
 * be too, a prefix within a subnet means what it says; a prefix around the subnet means the rest.
 */
export function ownRanges(network: NetworkSpec, prefixes: readonly Range[]): Range[] {
  const subnets = network.subnets.map((subnet) => rangeOf(subnet.cidr));
  if (!isWired(network)) return joined(subnets);
  return without(
    subnets,
    prefixes.filter((prefix) => subnets.some((subnet) => covers(subnet, prefix))),
  );
}

/**
 * By network, where its guests get to without leaving what tenants' routers join: the own ranges of those networks, and
 * ranges that a router sends to a guest.
 */
export function insideOf(inventory: Inventory, prefixes: readonly Range[]): Map<string, Range[]> {
  const result = new Map<string, Range[]>();
  for (const component of componentsOf(inventory)) {
    const routers = routersOf(inventory).filter(({ interfaces }) =>
      interfaces.some((one) => component.some((network) => network.id === one.network_id)),
    );
    const ranges = joined([
      ...component.flatMap((network) => ownRanges(network, prefixes)),
      ...routers.flatMap((router) => routesToGuests(router, component)),
    ]);
    for (const network of component) result.set(network.id, ranges);
  }
  return result;
}

const routersOf = (inventory: Inventory): RouterSpec[] =>
  [...inventory.all('router').values()].map(({ spec }) => spec).filter((router) => router.admin_state_up);

/** Networks that routers join, each in one group. */
function componentsOf(inventory: Inventory): NetworkSpec[][] {
  const groupOf = new Map<string, Set<string>>();
  for (const id of inventory.networks.keys()) groupOf.set(id, new Set([id]));
  for (const router of routersOf(inventory)) {
    const ids = router.interfaces.map((one) => one.network_id).filter((id) => groupOf.has(id));
    const together = new Set(ids.flatMap((id) => [...(groupOf.get(id) ?? [])]));
    for (const id of together) groupOf.set(id, together);
  }
  return [...new Set(groupOf.values())].map((ids) =>
    [...ids].map((id) => inventory.networks.get(id)?.spec).filter((spec) => spec !== undefined),
  );
}

/** Only where no cable is: a next hop there may be a machine of the intranet. */
function routesToGuests(router: RouterSpec, component: NetworkSpec[]): Range[] {
  const subnets = component.filter((network) => !isWired(network)).flatMap((network) => network.subnets);
  return router.routes
    .filter(({ nexthop }) => subnets.some((subnet) => covers(rangeOf(subnet.cidr), rangeOf(nexthop))))
    .map(({ destination }) => rangeOf(destination));
}
