import { canonicalAddress, isGatewayOf } from './addresses.ts';
import type { Inventory } from './inventory.ts';

/**
 * Gateways that this machine itself is on a network, as every machine is for its own guests: of multi-host networks, and
 * interfaces of routers. Any other gateway is a guest's or stands elsewhere.
 */
export function gatewaysOf(inventory: Inventory, networkId: string): string[] {
  const spec = inventory.networks.get(networkId)?.spec;
  if (!spec) return [];
  const interfaces = [...inventory.all('router').values()].flatMap((router) => router.spec.interfaces);
  return spec.subnets.flatMap((subnet) =>
    [
      ...(spec.snat && subnet.gateway_ip !== null ? [subnet.gateway_ip] : []),
      ...interfaces.filter((one) => one.subnet_id === subnet.id).map((one) => one.ip_address),
    ]
      // An address of another range would become this machine's own, whoever it belongs to.
      .filter((address) => isGatewayOf(subnet.cidr, address))
      .map(canonicalAddress),
  );
}
