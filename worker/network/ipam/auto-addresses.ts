import { type SQL, sql } from 'drizzle-orm';
import { addressAt, parseCidr } from '../../../shared/cidr.ts';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { assertUnchanged } from '../api/races.ts';
import type { Address, SubnetRow } from './address-picks.ts';

/** The only prefix length with which a host makes an address of its hardware address (RFC 4862, 5.5.3). */
export const AUTO_PREFIX_LENGTH = 64;
/** The bit that says whether a hardware address is the world's or somebody's own; turned in EUI-64 (RFC 4291, appendix A). */
const UNIVERSAL_BIT = 0x02n << 56n;
/** What stands between the two halves of the hardware address. */
const EUI_64_MIDDLE = 0xfffen << 24n;

const AUTO_MODES: readonly (string | null)[] = ['slaac', 'dhcpv6-stateless'];

/** Whether the guests of a subnet make their addresses themselves, of its prefix and their hardware address. */
export const isAuto = (subnet: Pick<SubnetRow, 'ipv6RaMode' | 'ipv6AddressMode'>): boolean =>
  AUTO_MODES.includes(subnet.ipv6RaMode) || AUTO_MODES.includes(subnet.ipv6AddressMode);

/** As `isAuto`, of a subnet in SQL. */
export const autoSql = (table: string): SQL => {
  const modes = sql`('slaac', 'dhcpv6-stateless')`;
  const name = sql.identifier(table);
  return sql`(${name}.ipv6_ra_mode IN ${modes} OR ${name}.ipv6_address_mode IN ${modes})`;
};

/** Whether a port has an address in each such subnet of its network: all but those that the cloud makes itself. */
export const follows = (deviceOwner: string): boolean => !/^network:(router|floatingip)/.test(deviceOwner);

/** As `follows`, of `ports` in SQL. */
const followsSql = sql`ports.device_owner NOT LIKE 'network:router%' AND ports.device_owner NOT LIKE 'network:floatingip%'`;

/**
 * The address that a guest makes in a subnet. Its offset there may be beyond what is kept exactly, so the row has one below
 * zero, of the hardware address: as unique, and no other address has it.
 * @param mac - 12 hexadecimal digits with colons
 */
export function autoAddress(subnet: Pick<SubnetRow, 'id' | 'cidr'>, mac: string): Address {
  const range = parseCidr(subnet.cidr);
  const bits = BigInt(`0x${mac.replaceAll(':', '')}`);
  if (range?.prefix !== AUTO_PREFIX_LENGTH) throw new Error(`${subnet.cidr} has no room for EUI-64`);
  const offset = (((bits >> 24n) << 40n) | EUI_64_MIDDLE | (bits & 0xff_ffffn)) ^ UNIVERSAL_BIT;
  return { subnetId: subnet.id, hostOffset: -1 - Number(bits), ipAddress: addressAt(range, offset) };
}

/** The addresses that a port with this hardware address has beside those that are chosen. */
export const autoAddresses = (subnets: SubnetRow[], mac: string): Address[] =>
  subnets.filter(isAuto).map((subnet) => autoAddress(subnet, mac));

/** The ports of networks that have an address in each subnet whose guests make them. @param networkIds - as SQL for `IN (...)` */
export const portsThatFollow = (networkIds: SQL): SQL =>
  sql`SELECT ports.id FROM ports WHERE ports.network_id IN (${networkIds}) AND ${followsSql}`;

/**
 * A statement that fails its batch where a port came to a network while it got such a subnet.
 * @param where - a condition on `ports`, those that may lack an address
 */
export const assertAutoAddressed = (ctx: Context, where: SQL): Statement =>
  assertUnchanged(
    ctx,
    sql`NOT EXISTS (SELECT 1 FROM ports JOIN subnets auto ON auto.network_id = ports.network_id AND ${autoSql('auto')}
      WHERE ${where} AND ${followsSql}
        AND NOT EXISTS (SELECT 1 FROM ip_allocations a WHERE a.port_id = ports.id AND a.subnet_id = auto.id))`,
  );
