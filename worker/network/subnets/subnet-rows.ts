import { eq, getTableColumns, sql } from 'drizzle-orm';
import { networks, subnets } from '../../../db/schema/network.ts';
import type { Context } from '../../http/context.ts';
import { byBoolean, byConstant, byInteger, byText } from '../api/filters.ts';
import type { Listing } from '../api/listing.ts';
import { standardView } from '../api/views.ts';
import { byTags } from '../tags/tag-filters.ts';

const columns = {
  ...getTableColumns(subnets),
  networkProjectId: networks.projectId,
  shared: networks.shared,
};

/** Subnets as they are shown, with whose their network is; the caller adds conditions. */
export const selectSubnets = (ctx: Context) =>
  ctx.db.select(columns).from(subnets).innerJoin(networks, eq(networks.id, subnets.networkId));
export type SubnetWithNetwork = Awaited<ReturnType<typeof selectSubnets>>[number];

/** A subnet in the API's form. */
export function subnetView(row: SubnetWithNetwork) {
  return {
    id: row.id,
    name: row.name,
    network_id: row.networkId,
    ip_version: row.ipVersion,
    cidr: row.cidr,
    gateway_ip: row.gatewayIp,
    enable_dhcp: row.enableDhcp,
    allocation_pools: row.allocationPools.map(({ start, end }) => ({ start, end })),
    dns_nameservers: row.dnsNameservers,
    host_routes: row.hostRoutes,
    subnetpool_id: row.subnetpoolId,
    ipv6_ra_mode: row.ipv6RaMode,
    ipv6_address_mode: row.ipv6AddressMode,
    segment_id: null,
    service_types: [],
    ...standardView(row),
  };
}

/** How subnets are filtered and sorted. */
export const subnetListing: Listing = {
  table: 'subnets',
  filters: {
    id: byText(subnets.id),
    name: byText(subnets.name),
    description: byText(subnets.description),
    network_id: byText(subnets.networkId),
    tenant_id: byText(subnets.projectId),
    project_id: byText(subnets.projectId),
    ip_version: byInteger(subnets.ipVersion),
    cidr: byText(subnets.cidr),
    gateway_ip: byText(subnets.gatewayIp),
    enable_dhcp: byBoolean(subnets.enableDhcp),
    shared: byBoolean(networks.shared),
    ...byTags(subnets.tags),
    revision_number: byInteger(subnets.revision),
    'router:external': byConstant(false),
    subnetpool_id: byText(subnets.subnetpoolId),
    ipv6_ra_mode: byText(sql`coalesce(subnets.ipv6_ra_mode, '')`),
    ipv6_address_mode: byText(sql`coalesce(subnets.ipv6_address_mode, '')`),
    segment_id: byConstant(''),
  },
  sortKeys: {
    id: sql`subnets.id`,
    name: sql`subnets.name`,
    network_id: sql`subnets.network_id`,
    tenant_id: sql`subnets.project_id`,
    project_id: sql`subnets.project_id`,
    ip_version: sql`subnets.ip_version`,
    cidr: sql`subnets.cidr`,
    gateway_ip: sql`coalesce(subnets.gateway_ip, '')`,
    enable_dhcp: sql`subnets.enable_dhcp`,
    created_at: sql`subnets.created_at_ms`,
    updated_at: sql`subnets.updated_at_ms`,
  },
};
