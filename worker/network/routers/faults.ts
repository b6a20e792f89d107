import { badRequest, conflict, notFound } from '../../http/errors.ts';

/** The words of Neutron's router plugin. */
export const badRouter = (message: string) => badRequest(`Bad router request: ${message}.`, 'BadRequest');
export const routerNotFound = (id: string) => notFound(`Router ${id} could not be found`, 'RouterNotFound');
export const routerInUse = (id: string) => conflict(`Router ${id} still has ports`, 'RouterInUse');
export const interfaceNotFound = (routerId: string, portId: string) =>
  notFound(`Router ${routerId} does not have an interface with id ${portId}`, 'RouterInterfaceNotFound');
export const interfaceNotFoundForSubnet = (routerId: string, subnetId: string) =>
  notFound(`Router ${routerId} has no interface on subnet ${subnetId}`, 'RouterInterfaceNotFoundForSubnet');
export const subnetMismatch = (portId: string, subnetId: string) =>
  conflict(`Subnet on port ${portId} does not match the requested subnet ${subnetId}.`, 'SubnetMismatchForPort');
export const interfaceInUseByFloatingIp = (routerId: string, subnetId: string) =>
  conflict(
    `Router interface for subnet ${subnetId} on router ${routerId} cannot be deleted, as it is required by one or more floating IPs.`,
    'RouterInterfaceInUseByFloatingIP',
  );
export const interfaceInUseByRoute = (routerId: string, subnetId: string) =>
  conflict(
    `Router interface for subnet ${subnetId} on router ${routerId} cannot be deleted, as it is required by one or more routes.`,
    'RouterInterfaceInUseByRoute',
  );
export const gatewayInUseByFloatingIp = (routerId: string, networkId: string) =>
  conflict(
    `Gateway cannot be updated for router ${routerId}, since a gateway to external network ${networkId} is required by one or more floating IPs.`,
    'RouterExternalGatewayInUseByFloatingIp',
  );
export const portInUse = (port: { id: string; networkId: string; deviceId: string }) =>
  conflict(
    `Unable to complete operation on port ${port.id} for network ${port.networkId}. Port already has an attached device ${port.deviceId}.`,
    'PortInUse',
  );
