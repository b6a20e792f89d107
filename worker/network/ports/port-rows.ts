import { eq, getTableColumns, sql } from 'drizzle-orm';
import { runners } from '../../../db/schema/fleet.ts';
import { networks, ports } from '../../../db/schema/network.ts';
import { formatIp, parseIp } from '../../../shared/cidr.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { isAdmin } from '../../http/policy.ts';
import { byAny, byBoolean, byConstant, byInteger, byText } from '../api/filters.ts';
import { jsonColumn } from '../api/json-column.ts';
import type { Listing } from '../api/listing.ts';
import { invalidInput, shown } from '../api/values.ts';
import { standardView } from '../api/views.ts';
import type { Address } from '../ipam/address-picks.ts';
import { byTags } from '../tags/tag-filters.ts';

const columns = {
  ...getTableColumns(ports),
  networkProjectId: networks.projectId,
  networkQosPolicyId: networks.qosPolicyId,
  /** The name of the host that serves it. */
  host: runners.name,
  addresses: jsonColumn<Address[]>(
    sql`(SELECT json_group_array(json_object('subnetId', a.subnet_id, 'hostOffset', a.host_offset, 'ipAddress', a.ip_address)
      ORDER BY a.position) FROM ip_allocations a WHERE a.port_id = ports.id)`,
  ),
  groupIds: jsonColumn<string[]>(
    sql`(SELECT json_group_array(g.group_id ORDER BY g.group_id) FROM port_security_groups g WHERE g.port_id = ports.id)`,
  ),
};

/** Ports as they are shown, with whose their network is; the caller adds conditions. */
export const selectPorts = (ctx: Context) =>
  ctx.db
    .select(columns)
    .from(ports)
    .innerJoin(networks, eq(networks.id, ports.networkId))
    .leftJoin(runners, eq(runners.id, ports.runnerId));
export type PortWithPlace = Awaited<ReturnType<typeof selectPorts>>[number];

/** How a host connects a port: all of ours are taps on a bridge. */
export const vifType = (row: { runnerId: string | null }): string => (row.runnerId === null ? 'unbound' : 'bridge');

/** A port in the API's form. Where it is served, only an admin sees. */
export function portView(ctx: ActorContext, row: PortWithPlace) {
  return {
    id: row.id,
    name: row.name,
    network_id: row.networkId,
    mac_address: row.macAddress,
    admin_state_up: row.adminStateUp,
    status: row.status,
    device_id: row.deviceId,
    device_owner: row.deviceOwner,
    fixed_ips: row.addresses.map(({ subnetId, ipAddress }) => ({ subnet_id: subnetId, ip_address: ipAddress })),
    security_groups: row.groupIds,
    port_security_enabled: row.portSecurityEnabled,
    qos_policy_id: row.qosPolicyId,
    qos_network_policy_id: row.networkQosPolicyId,
    allowed_address_pairs: row.allowedAddressPairs,
    extra_dhcp_opts: row.extraDhcpOpts.map(({ name, value, ip_version }) => ({
      opt_name: name,
      opt_value: value,
      ip_version,
    })),
    dns_name: row.dnsName,
    dns_assignment: row.addresses.map(({ ipAddress }) => dnsAssignment(row.dnsName, ipAddress)),
    'binding:vnic_type': 'normal',
    ...(isAdmin(ctx)
      ? {
          'binding:host_id': row.host ?? '',
          'binding:profile': {},
          'binding:vif_type': vifType(row),
          'binding:vif_details': row.runnerId === null ? {} : { port_filter: row.portSecurityEnabled },
        }
      : {}),
    ...standardView(row),
  };
}

/** Guests without a name are called by their address, as Neutron does. */
function dnsAssignment(dnsName: string, ipAddress: string) {
  const hostname = dnsName || `host-${ipAddress.replaceAll(/[.:]/g, '-')}`;
  return { hostname, ip_address: ipAddress, fqdn: `${hostname}.` };
}

/** `ip_address=...`, `subnet_id=...` or `ip_address_substr=...` of any address. */
function byFixedIp(value: string) {
  const [key, wanted = ''] = value.split('=', 2);
  const where = (condition: ReturnType<typeof sql>) =>
    sql`ports.id IN (SELECT a.port_id FROM ip_allocations a WHERE ${condition})`;
  if (key === 'subnet_id') return where(sql`a.subnet_id = ${wanted}`);
  if (key === 'ip_address_substr') return where(sql`instr(a.ip_address, ${wanted}) > 0`);
  if (key !== 'ip_address') throw invalidInput(`'${shown(value)}' is not of the form <key>=[value]`);
  const ip = parseIp(wanted);
  return where(sql`a.ip_address = ${ip ? formatIp(ip) : wanted}`);
}

/** How ports are filtered and sorted. */
export const portListing: Listing = {
  table: 'ports',
  filters: {
    id: byText(ports.id),
    name: byText(ports.name),
    description: byText(ports.description),
    network_id: byText(ports.networkId),
    tenant_id: byText(ports.projectId),
    project_id: byText(ports.projectId),
    admin_state_up: byBoolean(ports.adminStateUp),
    mac_address: byAny((value) => sql`ports.mac_address = ${value.toLowerCase()}`),
    status: byText(ports.status),
    device_id: byText(ports.deviceId),
    device_owner: byText(ports.deviceOwner),
    port_security_enabled: byBoolean(ports.portSecurityEnabled),
    qos_policy_id: byText(ports.qosPolicyId),
    dns_name: byText(ports.dnsName),
    ...byTags(ports.tags),
    revision_number: byInteger(ports.revision),
    fixed_ips: (values) => sql`(${sql.join(values.map(byFixedIp), sql` OR `)})`,
    security_groups: byAny(
      (value) => sql`ports.id IN (SELECT g.port_id FROM port_security_groups g WHERE g.group_id = ${value})`,
    ),
    'binding:host_id': byText(sql`coalesce(${runners.name}, '')`),
    'binding:vnic_type': byConstant('normal'),
  },
  sortKeys: {
    id: sql`ports.id`,
    name: sql`ports.name`,
    network_id: sql`ports.network_id`,
    tenant_id: sql`ports.project_id`,
    project_id: sql`ports.project_id`,
    admin_state_up: sql`ports.admin_state_up`,
    mac_address: sql`ports.mac_address`,
    status: sql`ports.status`,
    device_id: sql`ports.device_id`,
    device_owner: sql`ports.device_owner`,
    created_at: sql`ports.created_at_ms`,
    updated_at: sql`ports.updated_at_ms`,
  },
};
