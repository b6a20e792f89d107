import { isGatewayOf, prefixLengthOf } from '../addresses.ts';
import { gatewaysOf } from '../gateways.ts';
import type { Inventory } from '../inventory.ts';
import { heldAddressesOf } from './floating.ts';

export interface OwnAddress {
  subnet_id: string | null;
  address: string;
  prefixLength: number;
}

/**
 * Addresses that this machine has on a network: gateways of networks whose guests leave by the machine itself, interfaces
 * of routers, and on an external network the addresses of the world that it holds. Any other is a guest's, or nobody's.
 */
export function ownAddressesOf(inventory: Inventory, networkId: string): OwnAddress[] {
  const spec = inventory.networks.get(networkId)?.spec;
  if (!spec) return [];
  const addresses: OwnAddress[] = [...(heldAddressesOf(inventory).get(networkId) ?? [])].map((address) => ({
    subnet_id: null,
    address,
    prefixLength: 32,
  }));
  const gateways = gatewaysOf(inventory, networkId);
  for (const subnet of spec.subnets) {
    const own = new Set(gateways.filter((address) => isGatewayOf(subnet.cidr, address)));
    for (const address of own) {
      addresses.push({ subnet_id: subnet.id, address, prefixLength: prefixLengthOf(subnet.cidr) });
    }
  }
  return addresses;
}
