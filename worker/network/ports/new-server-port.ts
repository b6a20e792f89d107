import type { ProjectContext } from '../../http/context.ts';
import { badRequest, conflict } from '../../http/errors.ts';
import type { Address, Picker } from '../ipam/address-picks.ts';
import { autoAddresses, isAuto } from '../ipam/auto-addresses.ts';
import { checkedAddress, defaultAddresses } from '../ipam/port-addresses.ts';
import { type Random, randomMac } from '../ipam/random.ts';
import { enforce } from '../policy.ts';
import type { PortRequest, ServerPortsInput } from '../server-ports.ts';
import { dnsLabel } from './dns-label.ts';
import { onAutoSubnet } from './plan-addresses.ts';
import type { NewPort } from './port-statements.ts';
import type { ServerPortRows } from './server-port-reads.ts';

/** Ports without port security have no groups. @throws ApiError 400 where some were asked for by name */
function appliedGroups(input: ServerPortsInput, network: ServerPortRows['networks'][number], ids: string[]): string[] {
  if (network.portSecurityEnabled) return ids;
  if (input.securityGroups.length === 0) return [];
  throw badRequest(
    'Network requires port_security_enabled and subnet associated in order to apply security groups.',
    'SecurityGroupCannotBeApplied',
  );
}

/** `auto` and `none` as requests of the plain kind. */
export function resolveRequests(input: ServerPortsInput, found: ServerPortRows): PortRequest[] {
  if (input.requests === 'none') return [];
  if (input.requests !== 'auto') return input.requests;
  if (found.networks.length > 1) {
    throw conflict('Multiple possible networks found, use a Network ID to be more specific.', 'NetworkAmbiguous');
  }
  return found.networks.map((network) => ({ networkId: network.id }));
}

/** Takes an address asked for out of what may be picked. On another's network only its owner names addresses, as in Neutron. */
export function reserveFixed(ctx: ProjectContext, found: ServerPortRows, request: PortRequest, picker: Picker): void {
  if (request.fixedIp === undefined) return;
  const network = networkOf(found, request);
  enforce(ctx, 'create_port:network_owner', { projectId: network.projectId });
  if (picker.reserve(checkedFixedIp(found, network.id, request.fixedIp))) return;
  throw badRequest(`Fixed IP address ${request.fixedIp} is asked for twice.`, 'FixedIpAlreadyInUse');
}

function networkOf(found: ServerPortRows, request: PortRequest): ServerPortRows['networks'][number] {
  const network = found.networks.find(({ id }) => id === request.networkId);
  if (!network) throw badRequest(`Network ${request.networkId} could not be found.`, 'NetworkNotFound');
  return network;
}

function checkedFixedIp(found: ServerPortRows, networkId: string, fixedIp: string): Address {
  const subnets = found.subnets.filter((subnet) => subnet.networkId === networkId);
  const address = checkedAddress(subnets, fixedIp);
  if (!address || subnets.some((subnet) => subnet.gatewayIp === address.ipAddress)) {
    throw badRequest(`Fixed IP ${fixedIp} is not a valid ip address for network ${networkId}.`, 'InvalidFixedIp');
  }
  if (subnets.some((subnet) => subnet.id === address.subnetId && isAuto(subnet))) {
    throw onAutoSubnet(address.ipAddress, address.subnetId);
  }
  const taken = found.taken.find((one) => one.networkId === networkId && one.ipAddress === address.ipAddress);
  if (!taken) return address;
  throw badRequest(
    `Fixed IP address ${fixedIp} is already in use on instance ${taken.deviceId}.`,
    'FixedIpAlreadyInUse',
  );
}

/** @throws ApiError 400 not found or without an address, 409 in use or asked for twice */
export function checkPort(found: ServerPortRows, portId: string, before: string[]): void {
  const port = found.ports.find(({ row }) => row.id === portId);
  if (!port) throw badRequest(`Port id ${portId} could not be found.`, 'PortNotFound');
  if (port.row.deviceId !== '' || before.includes(portId)) {
    throw conflict(`Port ${portId} is still in use.`, 'PortInUse');
  }
  if (port.addresses === 0) {
    throw badRequest(`Port ${portId} requires a FixedIP in order to be used.`, 'PortRequiresFixedIP');
  }
}

/**
 * A port that is made for a server, and goes with it.
 * @throws ApiError 400 no such network, none of its addresses, or groups where it has none; 409 no address left
 */
export function newServerPort(
  ctx: ProjectContext,
  input: ServerPortsInput,
  found: ServerPortRows,
  request: PortRequest,
  given: { picker: Picker; random: Random; runnerId: string; groupIds: string[] },
): NewPort {
  const network = networkOf(found, request);
  const subnets = found.subnets.filter((subnet) => subnet.networkId === network.id);
  if (subnets.length === 0) {
    throw badRequest(`Network ${network.id} requires a subnet in order to boot instances on.`, 'NetworkRequiresSubnet');
  }
  const now = ctx.clock.nowMs();
  const macAddress = randomMac(given.random);
  return {
    groupIds: appliedGroups(input, network, given.groupIds),
    addresses:
      request.fixedIp === undefined
        ? pickedAddresses(network.id, subnets, { picker: given.picker, mac: macAddress })
        : [checkedFixedIp(found, network.id, request.fixedIp), ...autoAddresses(subnets, macAddress)],
    row: {
      id: ctx.ids.uuid(),
      region: ctx.region,
      projectId: ctx.actor.projectId,
      networkId: network.id,
      name: '',
      description: '',
      macAddress,
      adminStateUp: true,
      status: 'DOWN',
      portSecurityEnabled: network.portSecurityEnabled,
      deviceId: input.serverId,
      deviceOwner: `compute:${input.zone}`,
      runnerId: given.runnerId,
      ownedByServer: true,
      dnsName: dnsLabel(input.hostname),
      allowedAddressPairs: [],
      extraDhcpOpts: [],
      vnicType: 'normal',
      bindingProfile: {},
      qosPolicyId: null,
      tags: [],
      revision: 1,
      createdAtMs: now,
      updatedAtMs: now,
    },
  };
}

function pickedAddresses(
  networkId: string,
  subnets: ServerPortRows['subnets'],
  { picker, mac }: { picker: Picker; mac: string },
): Address[] {
  const addresses = defaultAddresses(subnets, picker, mac);
  if (!addresses) throw conflict(`No fixed IP addresses available for network: ${networkId}`, 'NoMoreFixedIps');
  return addresses;
}
