import { conflict } from '../../http/errors.ts';
import { portInUse } from '../routers/faults.ts';

/** Owners of ports that are a router's or a floating IP's: what machines hold follows from these, so the cloud alone makes them. */
const SERVICE_OWNERS: ReadonlySet<string> = new Set([
  'network:router_interface',
  'network:router_interface_distributed',
  'network:router_gateway',
  'network:floatingip',
  'network:floatingip_agent_gateway',
]);

interface Device {
  id: string;
  networkId: string;
  deviceId: string;
  deviceOwner: string;
}

export const isServicePort = (port: Pick<Device, 'deviceOwner' | 'deviceId'>): boolean =>
  SERVICE_OWNERS.has(port.deviceOwner) && port.deviceId !== '';

/** No port becomes a router's, a floating IP's or a machine's by its own word. @throws ApiError 409 */
export function refuseDevice(device: Pick<Device, 'deviceOwner' | 'deviceId'>): void {
  if (!isServicePort(device)) return;
  throw conflict(
    `The following device_id ${device.deviceId} is not owned by your tenant or matches another tenants router.`,
    'DeviceIDNotOwnedByTenant',
  );
}

/** @throws ApiError 409 where a port is a router's or a floating IP's, and only goes with it */
export function refuseDelete(port: Device): void {
  if (!isServicePort(port)) return;
  throw conflict(
    `Port ${port.id} cannot be deleted directly via the port API: has device owner ${port.deviceOwner}.`,
    'ServicePortInUse',
  );
}

/** A port of the cloud's own keeps its device; its addresses change only where it is a router's interface. @throws ApiError 409 */
export function refuseUpdate(
  port: Device,
  changes: { device_id?: string; device_owner?: string; fixed_ips?: unknown; mac_address?: unknown },
): void {
  const device = {
    deviceId: changes.device_id ?? port.deviceId,
    deviceOwner: changes.device_owner ?? port.deviceOwner,
  };
  const same = device.deviceId === port.deviceId && device.deviceOwner === port.deviceOwner;
  if (!isServicePort(port)) {
    if (!same) refuseDevice(device);
    return;
  }
  const moved = changes.fixed_ips !== undefined && port.deviceOwner !== 'network:router_interface';
  if (!same || moved) throw portInUse(port);
}
