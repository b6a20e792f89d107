import { badRequest, conflict, notFound } from '../../http/errors.ts';

/** The words of Neutron's router plugin about floating IPs. */
export const badFloatingIp = (message: string) => badRequest(`Bad floatingip request: ${message}.`, 'BadRequest');
export const floatingIpNotFound = (id: string) =>
  notFound(`Floating IP ${id} could not be found`, 'FloatingIPNotFound');

/** A floating IP, as far as its association goes. */
export interface Associating {
  id: string;
  projectId: string;
  floatingNetworkId: string;
  floatingIpAddress: string;
}

export const gatewayNotFound = (networkId: string, subnetId: string, portId: string) =>
  notFound(
    `External network ${networkId} is not reachable from subnet ${subnetId}.  Therefore, cannot associate Port ${portId} with a Floating IP.`,
    'ExternalGatewayForFloatingIPNotFound',
  );
export const alreadyAssociated = (fip: Associating, portId: string, fixedIp: string) =>
  conflict(
    `Cannot associate floating IP ${fip.floatingIpAddress} (${fip.id}) with port ${portId} using fixed IP ${fixedIp}, as that fixed IP already has a floating IP on external network ${fip.floatingNetworkId}.`,
    'FloatingIPPortAlreadyAssociated',
  );
export const inUseByForwards = (id: string) =>
  conflict(`Floating IP ${id} in use by Port Forwarding resources.`, 'FipInUseByPortForwarding');
export const portHasForwards = (portId: string) =>
  badRequest(
    `Cannot associate floating IP to port ${portId} because it already has a Port Forwarding binding.`,
    'PortHasPortForwarding',
  );
