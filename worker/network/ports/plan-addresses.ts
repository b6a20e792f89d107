import { formatIp, parseIp } from '../../../shared/cidr.ts';
import { badRequest, conflict } from '../../http/errors.ts';
import { invalidInput } from '../api/values.ts';
import { ipAddressInUse, noAddressLeft } from '../faults.ts';
import type { Address, Picker, SubnetRow } from '../ipam/address-picks.ts';
import { autoAddresses, isAuto } from '../ipam/auto-addresses.ts';
import { checkedAddress, defaultAddresses } from '../ipam/port-addresses.ts';
import type { WantedAddress } from './attributes.ts';

/** What a port's addresses are planned from. */
export interface AddressPlan {
  networkId: string;
  /** The subnets of that network. */
  subnets: SubnetRow[];
  /** Undefined: one of each IP version that the network has. */
  wanted: WantedAddress[] | undefined;
  /** What the port has already. */
  current: Address[];
  /** The hardware address of a port whose guest makes addresses itself; null for others: they have what they are given. */
  mac: string | null;
  picker: Picker;
}

/**
 * Takes the addresses that a client names out of what may be picked; for all ports of a request before any is picked.
 * What the port has already stays its own.
 * @param taken - addresses in use by other ports
 * @throws ApiError 400 not of the network or subnet, 404 no such subnet, 409 in use
 */
export function reserveNamed(plan: AddressPlan, taken: Address[]): void {
  for (const one of plan.wanted ?? []) {
    if (one.ip_address === undefined || plan.current.some((has) => has.ipAddress === one.ip_address)) continue;
    const address = namedAddress(plan, one, one.ip_address);
    const used = taken.some((other) => other.subnetId === address.subnetId && other.hostOffset === address.hostOffset);
    if (used || !plan.picker.reserve(address)) throw ipAddressInUse(address.ipAddress, address.subnetId);
  }
}

/**
 * A port's addresses, in the order wanted. An address the port has stays where it is wanted by itself or by its subnet.
 * Those that the guest makes itself are there whether they are wanted or not, as in Neutron.
 * @throws ApiError 400, 404 as `reserveNamed`; 409 no address left
 */
export function planAddresses(plan: AddressPlan): Address[] {
  const { wanted, picker } = plan;
  if (wanted === undefined) {
    const addresses = defaultAddresses(plan.subnets, picker, plan.mac);
    if (!addresses) throw noAddressLeft(plan.networkId);
    return addresses;
  }
  const left = plan.current.filter((has) => !wanted.some((one) => one.ip_address === has.ipAddress));
  const chosen = wanted.filter((one) => !isImplied(plan, one));
  const addresses = chosen.map((one) => {
    const { ip_address: ip } = one;
    if (ip !== undefined) return plan.current.find((has) => has.ipAddress === ip) ?? namedAddress(plan, one, ip);
    const subnet = subnetOf(plan, one.subnet_id ?? '');
    const kept = left.findIndex((has) => has.subnetId === subnet.id);
    const address = kept >= 0 ? left.splice(kept, 1)[0] : picker.take([subnet.id]);
    if (!address) throw noAddressLeft(plan.networkId);
    return address;
  });
  return plan.mac === null ? addresses : [...addresses, ...autoAddresses(plan.subnets, plan.mac)];
}

/** Whether what is wanted is an address that the guest makes itself: one of such a subnet, or the one that it has there. */
function isImplied({ mac, subnets, current }: AddressPlan, wanted: WantedAddress): boolean {
  if (mac === null) return false;
  const has = current.find((one) => one.ipAddress === wanted.ip_address);
  const subnetId = wanted.ip_address === undefined ? wanted.subnet_id : has?.subnetId;
  return subnets.some((subnet) => subnet.id === subnetId && isAuto(subnet));
}

function namedAddress(plan: AddressPlan, wanted: WantedAddress, ipAddress: string): Address {
  if (plan.subnets.length === 0) throw invalidInput('IP allocation requires subnets for network');
  const subnets = wanted.subnet_id === undefined ? plan.subnets : [subnetOf(plan, wanted.subnet_id)];
  const address = checkedAddress(subnets, ipAddress);
  if (!address) {
    throw wanted.subnet_id === undefined
      ? badRequest(
          `IP address ${ipAddress} is not a valid IP for any of the subnets on the specified network.`,
          'InvalidIpForNetwork',
        )
      : badRequest(`IP address ${ipAddress} is not a valid IP for the specified subnet.`, 'InvalidIpForSubnet');
  }
  const subnet = subnets.find((one) => one.id === address.subnetId);
  if (plan.mac !== null && subnet && isAuto(subnet)) throw onAutoSubnet(ipAddress, subnet.id);
  const gateway = parseIp(subnet?.gatewayIp ?? '');
  if (gateway && formatIp(gateway) === address.ipAddress) {
    throw conflict(
      `Unable to complete operation for network ${plan.networkId}. The IP address ${ipAddress} is in use.`,
      'IpAddressInUse',
    );
  }
  return address;
}

export const onAutoSubnet = (ipAddress: string, subnetId: string) =>
  badRequest(
    `IPv6 address ${ipAddress} cannot be directly assigned to a port on subnet ${subnetId} as the subnet is configured for automatic addresses`,
    'AllocationOnAutoAddressSubnet',
  );

function subnetOf(plan: AddressPlan, subnetId: string): SubnetRow {
  const subnet = plan.subnets.find((one) => one.id === subnetId);
  if (subnet) return subnet;
  throw invalidInput(
    `Failed to create port on network ${plan.networkId}, because fixed_ips included invalid subnet ${subnetId}`,
  );
}
