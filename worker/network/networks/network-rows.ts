import { getTableColumns, sql } from 'drizzle-orm';
import { networks } from '../../../db/schema/network.ts';
import type { ActorContext } from '../../http/context.ts';
import { isAdmin } from '../../http/policy.ts';
import { byBoolean, byConstant, byInteger, byText } from '../api/filters.ts';
import { jsonColumn } from '../api/json-column.ts';
import type { Listing } from '../api/listing.ts';
import { standardView } from '../api/views.ts';
import { sharedWithMe } from '../rbac/shared-with.ts';
import { byTags } from '../tags/tag-filters.ts';

/** The address scope that its subnets of an IP version are in. */
const scopeOf = (version: 4 | 6) =>
  sql<string | null>`(SELECT p.address_scope_id FROM subnets s JOIN subnetpools p ON p.id = s.subnetpool_id
    WHERE s.network_id = networks.id AND s.ip_version = ${sql.raw(String(version))} AND p.address_scope_id IS NOT NULL LIMIT 1)`;

const columns = {
  ...getTableColumns(networks),
  subnetIds: jsonColumn<string[]>(
    sql`(SELECT json_group_array(s.id ORDER BY s.created_at_ms, s.id) FROM subnets s WHERE s.network_id = networks.id)`,
  ),
  scope4: scopeOf(4),
  scope6: scopeOf(6),
  /** The zones of the hosts that have it. */
  zones: jsonColumn<string[]>(
    sql`(SELECT json_group_array(DISTINCT r.zone) FROM desired d JOIN runners r ON r.id = d.runner_id
      WHERE d.kind = 'network' AND d.id = networks.id AND d.deleted = 0)`,
  ),
};

/** Networks as they are shown; the caller adds conditions. */
export const selectNetworks = (ctx: ActorContext) =>
  ctx.db.select({ ...columns, sharedWithMe: sharedWithMe(ctx, 'network', sql`networks.id`) }).from(networks);
export type NetworkRow = Awaited<ReturnType<typeof selectNetworks>>[number];

/** A network in the API's form. What its place on the wire is, only an admin sees. */
export function networkView(ctx: ActorContext, row: NetworkRow) {
  const { tags, created_at, updated_at, revision_number, description, tenant_id, project_id } = standardView(row);
  return {
    id: row.id,
    name: row.name,
    tenant_id,
    project_id,
    admin_state_up: row.adminStateUp,
    mtu: row.mtu,
    status: 'ACTIVE',
    subnets: row.subnetIds,
    shared: row.sharedWithMe,
    availability_zone_hints: [],
    availability_zones: row.zones,
    ipv4_address_scope: row.scope4,
    ipv6_address_scope: row.scope6,
    'router:external': row.external,
    ...(row.external ? { is_default: row.isDefault } : {}),
    description,
    port_security_enabled: row.portSecurityEnabled,
    qos_policy_id: row.qosPolicyId,
    ...(isAdmin(ctx)
      ? {
          'provider:network_type': row.networkType,
          'provider:physical_network': row.physicalNetwork,
          'provider:segmentation_id': row.segmentationId,
          multi_host: row.multiHost,
        }
      : {}),
    tags,
    created_at,
    updated_at,
    revision_number,
  };
}

/** How networks are filtered and sorted. */
export const networkListing: Listing = {
  table: 'networks',
  filters: {
    id: byText(networks.id),
    name: byText(networks.name),
    description: byText(networks.description),
    tenant_id: byText(networks.projectId),
    project_id: byText(networks.projectId),
    admin_state_up: byBoolean(networks.adminStateUp),
    shared: byBoolean(networks.shared),
    mtu: byInteger(networks.mtu),
    port_security_enabled: byBoolean(networks.portSecurityEnabled),
    qos_policy_id: byText(networks.qosPolicyId),
    ...byTags(networks.tags),
    revision_number: byInteger(networks.revision),
    status: byConstant('ACTIVE'),
    'router:external': byBoolean(networks.external),
    'provider:network_type': byText(networks.networkType),
    'provider:physical_network': byText(networks.physicalNetwork),
    'provider:segmentation_id': byInteger(networks.segmentationId),
    multi_host: byBoolean(networks.multiHost),
    is_default: byBoolean(networks.isDefault),
  },
  sortKeys: {
    id: sql`networks.id`,
    name: sql`networks.name`,
    admin_state_up: sql`networks.admin_state_up`,
    tenant_id: sql`networks.project_id`,
    project_id: sql`networks.project_id`,
    mtu: sql`networks.mtu`,
    created_at: sql`networks.created_at_ms`,
    updated_at: sql`networks.updated_at_ms`,
  },
};
