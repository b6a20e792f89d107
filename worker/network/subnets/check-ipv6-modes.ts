import { parseCidr } from '../../../shared/cidr.ts';
import { invalidInput } from '../api/values.ts';
import { AUTO_PREFIX_LENGTH, isAuto } from '../ipam/auto-addresses.ts';

type Mode = 'slaac' | 'dhcpv6-stateful' | 'dhcpv6-stateless';

/** How the guests of a subnet learn their addresses. */
export interface Ipv6Modes {
  ipv6_ra_mode?: Mode | null | undefined;
  ipv6_address_mode?: Mode | null | undefined;
}

/** @throws ApiError 400 modes that do not fit each other, the range or the IP version, in Neutron's words */
export function checkIpv6Modes(subnet: Ipv6Modes & { ip_version: 4 | 6; cidr: string; enable_dhcp: boolean }): void {
  const { ipv6_ra_mode: ra = null, ipv6_address_mode: address = null } = subnet;
  if (ra === null && address === null) return;
  if (subnet.ip_version === 4) {
    throw invalidInput(`${ra === null ? 'ipv6_address_mode' : 'ipv6_ra_mode'} is not valid when ip_version is 4`);
  }
  if (!subnet.enable_dhcp) {
    throw invalidInput('ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False');
  }
  if (ra !== null && address !== null && ra !== address) {
    throw invalidInput(
      `ipv6_ra_mode set to '${ra}' with ipv6_address_mode set to '${address}' is not valid. If both attributes are set, they must be the same value`,
    );
  }
  const auto = isAuto({ ipv6RaMode: ra, ipv6AddressMode: address });
  if (auto && parseCidr(subnet.cidr)?.prefix !== AUTO_PREFIX_LENGTH) {
    throw invalidInput(
      `Invalid CIDR ${subnet.cidr} for IPv6 address mode. OpenStack uses the EUI-64 address format, which requires the prefix to be /64`,
    );
  }
}

/** @throws ApiError 400 where a subnet with modes would do without DHCP */
export function keepDhcp(
  row: { ipv6RaMode: Mode | null; ipv6AddressMode: Mode | null },
  enableDhcp: boolean | undefined,
): void {
  if (enableDhcp !== false || (row.ipv6RaMode === null && row.ipv6AddressMode === null)) return;
  throw invalidInput('Cannot disable enable_dhcp with ipv6 attributes set');
}
