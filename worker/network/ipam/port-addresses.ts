import { contains, formatIp, offsetOf, parseCidr, parseIp } from '../../../shared/cidr.ts';
import { type Address, HOST_OFFSET_MAX, type Picker, type SubnetRow } from './address-picks.ts';
import { autoAddresses, isAuto } from './auto-addresses.ts';

/**
 * The addresses of a port that asks for none: one of each IP version that the network's subnets have, IPv4 first, and those
 * that its guest makes itself.
 * @param mac - of a port whose guest makes addresses; null for others
 * @returns null where all subnets of a version are used up
 */
export function defaultAddresses(subnets: SubnetRow[], picker: Picker, mac: string | null): Address[] | null {
  const chosen = subnets.filter((subnet) => !isAuto(subnet));
  const versions = [4, 6].filter((version) => chosen.some((subnet) => subnet.ipVersion === version));
  const addresses = versions.flatMap((version) => {
    const ofVersion = chosen.filter((subnet) => subnet.ipVersion === version);
    return picker.take(ofVersion.map((subnet) => subnet.id)) ?? [];
  });
  if (addresses.length < versions.length) return null;
  return mac === null ? addresses : [...addresses, ...autoAddresses(subnets, mac)];
}

/** An asked-for address in the first of these subnets that holds it; null where none does, or it cannot be a host's. */
export function checkedAddress(subnets: SubnetRow[], ipAddress: string): Address | null {
  const ip = parseIp(ipAddress);
  if (!ip) return null;
  for (const subnet of subnets) {
    const range = parseCidr(subnet.cidr);
    if (!range || !contains(range, ip)) continue;
    const offset = offsetOf(range, ip);
    if (!isHostOffset(range, offset)) return null;
    return { subnetId: subnet.id, hostOffset: Number(offset), ipAddress: formatIp(ip) };
  }
  return null;
}

/** Whether an offset may be a host's: not the network's or the broadcast address, and within what we keep exactly. */
export function isHostOffset(range: { version: 4 | 6; prefix: number }, offset: bigint): boolean {
  if (offset > BigInt(HOST_OFFSET_MAX)) return false;
  if (range.version === 4) {
    if (range.prefix >= 31) return true;
    return offset > 0n && offset < (1n << BigInt(32 - range.prefix)) - 1n;
  }
  return offset > 0n || range.prefix >= 127;
}
