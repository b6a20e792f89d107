import type { FloatingIpSpec, PortForwardingSpec, RouterSpec } from '../../../shared/specs/router.ts';
import { canonicalAddress } from '../addresses.ts';
import type { Inventory } from '../inventory.ts';
import { networksOf, routersOf } from './components.ts';

type Inner = Pick<FloatingIpSpec, 'router_id' | 'network_id' | 'external_network_id'>;

/** Whether a router that is up joins the inner network with the external one. */
function isServed(inventory: Inventory, one: Inner, routers: RouterSpec[]): boolean {
  const router = routers.find(({ id }) => id === one.router_id);
  return (
    router?.gateway?.network_id === one.external_network_id &&
    inventory.networks.has(one.external_network_id) &&
    networksOf(inventory, router).some(({ spec }) => spec.id === one.network_id)
  );
}

/** Floating IPs that are translated here, each address once. */
export function floatingIpsOf(inventory: Inventory): FloatingIpSpec[] {
  const routers = routersOf(inventory);
  const byAddress = new Map<string, FloatingIpSpec>();
  const byInner = new Set<string>();
  for (const { spec } of inventory.all('floating-ip').values()) {
    const inner = `${spec.network_id} ${spec.fixed_ip_address}`;
    if (!isServed(inventory, spec, routers) || byInner.has(inner) || byAddress.has(spec.floating_ip_address)) continue;
    byAddress.set(spec.floating_ip_address, spec);
    byInner.add(inner);
  }
  return [...byAddress.values()];
}

/** Forwarded ports that this machine has to do with, as holder of the address or as the guest's machine. */
export function portForwardingsOf(inventory: Inventory): PortForwardingSpec[] {
  const routers = routersOf(inventory);
  const floating = new Set(floatingIpsOf(inventory).map((one) => one.floating_ip_address));
  return [...inventory.all('port-forwarding').values()]
    .map(({ spec }) => spec)
    .filter((spec) => isServed(inventory, spec, routers) && !floating.has(spec.floating_ip_address));
}

/** Addresses of the world that this machine holds, by the external network they are of. */
export function heldAddressesOf(inventory: Inventory): Map<string, Set<string>> {
  const held = new Map<string, Set<string>>();
  const add = (networkId: string, address: string) => {
    if (!inventory.networks.has(networkId)) return;
    const addresses = held.get(networkId) ?? new Set();
    held.set(networkId, addresses.add(canonicalAddress(address)));
  };
  for (const { gateway } of routersOf(inventory)) if (gateway?.snat_ip) add(gateway.network_id, gateway.snat_ip);
  for (const one of floatingIpsOf(inventory)) add(one.external_network_id, one.floating_ip_address);
  for (const one of portForwardingsOf(inventory)) {
    if (one.holder) add(one.external_network_id, one.floating_ip_address);
  }
  return held;
}
