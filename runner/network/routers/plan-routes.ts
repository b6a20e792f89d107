import type { NetworkSpec } from '../../../shared/specs/network.ts';
import type { RouterSpec } from '../../../shared/specs/router.ts';
import { canonicalAddress, canonicalCidr, isLinkLocal, versionOf } from '../addresses.ts';
import { gatewaysOf } from '../gateways.ts';
import { covers, rangeOf } from '../intranet/ranges.ts';
import type { Inventory, Numbered } from '../inventory.ts';
import type { Names } from '../names.ts';
import { networksOf, routersOf, wayOutOf } from './components.ts';

/** A route of a network's guests beyond their own network. */
export interface Route {
  version: 4 | 6;
  table: number;
  /** A range, or `default`. */
  prefix: string;
  via: string | null;
  /** Null: there is no way. */
  dev: string | null;
  /** Whether it is an address of the machine itself. */
  local: boolean;
}

/** Which networks each reaches by routers, by id: where its packets may be sent. */
export function reachedFrom(inventory: Inventory, network: NetworkSpec): Numbered<NetworkSpec>[] {
  const reached = new Map<string, Numbered<NetworkSpec>>();
  for (const router of routersOf(inventory)) {
    if (!router.interfaces.some((one) => one.network_id === network.id)) continue;
    for (const other of networksOf(inventory, router)) reached.set(other.spec.id, other);
    for (const { nexthop } of router.routes) {
      const next = routerAt(inventory, router, nexthop);
      for (const other of next ? networksOf(inventory, next) : []) reached.set(other.spec.id, other);
    }
  }
  return [...reached.values()];
}

/** Routes of every network here: to the networks that routers join it with, to what those route further, and out. */
export function planRoutes(names: Names, inventory: Inventory): Route[] {
  return [...inventory.networks.values()].flatMap(({ spec, number }) => {
    const table = names.routerTable(number);
    const routers = routersOf(inventory).filter((router) =>
      router.interfaces.some((one) => one.network_id === spec.id),
    );
    const routes = [
      ...reachedFrom(inventory, spec)
        .filter((other) => other.spec.id !== spec.id)
        .flatMap((other) => [
          ...addressRoutes(names, inventory, other.spec, table),
          ...subnetRoutes(names, other.spec, table),
        ]),
      ...routers.flatMap((router) => extraRoutes(names, inventory, router, table)),
      ...waysOut(names, inventory, spec, table),
    ];
    // The first of a prefix counts.
    return [...new Map(routes.reverse().map((route) => [`${route.version} ${route.prefix}`, route])).values()];
  });
}

const subnetRoutes = (names: Names, network: NetworkSpec, table: number): Route[] =>
  network.subnets.map(({ cidr, ip_version }) => ({
    version: ip_version,
    table,
    prefix: canonicalCidr(cidr),
    via: null,
    dev: names.bridge(network.id),
    local: false,
  }));

/** The machine's own addresses on another network. */
const addressRoutes = (names: Names, inventory: Inventory, network: NetworkSpec, table: number): Route[] =>
  ownAddresses(inventory, network).map((address) => ({
    version: versionOf(address),
    table,
    prefix: address,
    via: null,
    dev: names.bridge(network.id),
    local: true,
  }));

/** Gateways on a network that are the machine's for packets of tenants that reach it. */
export const ownAddresses = (inventory: Inventory, network: NetworkSpec): string[] =>
  network.external ? [] : gatewaysOf(inventory, network.id).filter((address) => !isLinkLocal(address));

/** The router that has an address on a network that another router is on, too. */
function routerAt(inventory: Inventory, router: RouterSpec, address: string): RouterSpec | undefined {
  const shared = new Set(router.interfaces.map((one) => one.subnet_id));
  return routersOf(inventory).find(({ interfaces }) =>
    interfaces.some((one) => shared.has(one.subnet_id) && one.ip_address === address),
  );
}

function extraRoutes(names: Names, inventory: Inventory, router: RouterSpec, table: number): Route[] {
  const subnets = networksOf(inventory, router).flatMap(({ spec }) =>
    spec.subnets.map((subnet) => ({ range: rangeOf(subnet.cidr), dev: names.bridge(spec.id) })),
  );
  return router.routes.flatMap(({ destination, nexthop }) => {
    // Another router is on this machine itself: its networks are reached at once.
    if (routerAt(inventory, router, nexthop)) return [];
    const at = subnets.find((subnet) => covers(subnet.range, rangeOf(nexthop)));
    if (!at || versionOf(nexthop) !== rangeOf(destination).version) return [];
    const range = canonicalCidr(destination);
    const prefix = range.endsWith('/0') ? 'default' : range;
    return [{ version: versionOf(nexthop), table, prefix, via: canonicalAddress(nexthop), dev: at.dev, local: false }];
  });
}

/** Without a way out there is none: the machine's own routes are not for tenants. */
function waysOut(names: Names, inventory: Inventory, network: NetworkSpec, table: number): Route[] {
  const { gateway } = wayOutOf(inventory, network) ?? {};
  const outside = gateway && inventory.networks.get(gateway.network_id)?.spec;
  const near = outside ? subnetRoutes(names, outside, table) : [];
  const far = ([4, 6] as const).flatMap((version): Route[] => {
    const hop = gateway?.next_hops.find((one) => versionOf(one) === version);
    const way = { version, table, prefix: 'default', local: false };
    if (gateway && hop) return [{ ...way, via: canonicalAddress(hop), dev: names.bridge(gateway.network_id) }];
    return network.snat ? [] : [{ ...way, via: null, dev: null }];
  });
  return [...near, ...far];
}
