import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { floatingIps } from '../../../db/schema/routers.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { byAny, byInteger, byText } from '../api/filters.ts';
import { jsonColumn } from '../api/json-column.ts';
import type { Listing, ListQuery } from '../api/listing.ts';
import { standardView } from '../api/views.ts';
import { ownOrAll } from '../api/visibility.ts';
import { type ForwardRow, forwardSummary } from '../port-forwardings/forward-view.ts';
import { byTags } from '../tags/tag-filters.ts';
import { floatingIpNotFound } from './faults.ts';

interface PortDetails {
  name: string;
  network_id: string;
  mac_address: string;
  admin_state_up: boolean;
  status: string;
  device_id: string;
  device_owner: string;
}

/** Floating IPs as they are shown; the caller adds conditions. */
export const selectFloatingIps = (ctx: Context) =>
  ctx.db
    .select({
      ...getTableColumns(floatingIps),
      port: jsonColumn<PortDetails | null>(sql`coalesce((SELECT json_object('name', p.name, 'network_id', p.network_id,
        'mac_address', p.mac_address, 'admin_state_up', json(CASE WHEN p.admin_state_up THEN 'true' ELSE 'false' END),
        'status', p.status, 'device_id', p.device_id, 'device_owner', p.device_owner)
        FROM ports p WHERE p.id = floating_ips.port_id), 'null')`),
      forwards: jsonColumn<ForwardRow[]>(sql`(SELECT json_group_array(json_object('id', f.id, 'protocol', f.protocol,
        'description', f.description, 'portId', f.port_id, 'internalIpAddress', f.internal_ip_address,
        'externalFirst', f.external_first, 'externalLast', f.external_last,
        'internalFirst', f.internal_first, 'internalLast', f.internal_last) ORDER BY f.created_at_ms, f.id)
        FROM port_forwardings f WHERE f.floating_ip_id = floating_ips.id)`),
    })
    .from(floatingIps);
export type FloatingIpRow = Awaited<ReturnType<typeof selectFloatingIps>>[number];

const visible = (ctx: ActorContext) => ownOrAll(ctx, 'get_floatingip', 'floating_ips');

/** A page of the floating IPs that the actor sees. */
export function listFloatingIps(ctx: ActorContext, query: ListQuery): Promise<FloatingIpRow[]> {
  return selectFloatingIps(ctx)
    .where(and(visible(ctx), query.where))
    .orderBy(...query.orderBy)
    .limit(query.limit);
}

/** One floating IP. @throws ApiError 404 where there is none that the actor sees */
export async function showFloatingIp(ctx: ActorContext, id: string): Promise<FloatingIpRow> {
  const [row] = await selectFloatingIps(ctx).where(and(eq(floatingIps.id, id), visible(ctx)));
  if (!row) throw floatingIpNotFound(id);
  return row;
}

/** A floating IP in the API's form. */
export function floatingIpView(_ctx: ActorContext, row: FloatingIpRow) {
  return {
    id: row.id,
    floating_ip_address: row.floatingIpAddress,
    floating_network_id: row.floatingNetworkId,
    router_id: row.routerId,
    port_id: row.portId,
    fixed_ip_address: row.fixedIpAddress,
    status: row.status,
    dns_name: row.dnsName,
    dns_domain: row.dnsDomain,
    qos_policy_id: row.qosPolicyId,
    port_details: row.port,
    port_forwardings: row.forwards.map(forwardSummary),
    ...standardView(row),
  };
}

/** How floating IPs are filtered and sorted. */
export const floatingIpListing: Listing = {
  table: 'floating_ips',
  filters: {
    id: byText(floatingIps.id),
    description: byText(floatingIps.description),
    tenant_id: byText(floatingIps.projectId),
    project_id: byText(floatingIps.projectId),
    floating_ip_address: byText(floatingIps.floatingIpAddress),
    floating_network_id: byText(floatingIps.floatingNetworkId),
    fixed_ip_address: byText(floatingIps.fixedIpAddress),
    port_id: byAny((value) =>
      value === '' ? sql`floating_ips.port_id IS NULL` : sql`floating_ips.port_id = ${value}`,
    ),
    router_id: byText(floatingIps.routerId),
    status: byText(floatingIps.status),
    qos_policy_id: byText(floatingIps.qosPolicyId),
    dns_name: byText(floatingIps.dnsName),
    dns_domain: byText(floatingIps.dnsDomain),
    ...byTags(floatingIps.tags),
    revision_number: byInteger(floatingIps.revision),
  },
  sortKeys: {
    id: sql`floating_ips.id`,
    tenant_id: sql`floating_ips.project_id`,
    project_id: sql`floating_ips.project_id`,
    floating_ip_address: sql`floating_ips.floating_ip_address`,
    floating_network_id: sql`floating_ips.floating_network_id`,
    fixed_ip_address: sql`coalesce(floating_ips.fixed_ip_address, '')`,
    router_id: sql`coalesce(floating_ips.router_id, '')`,
    status: sql`floating_ips.status`,
    created_at: sql`floating_ips.created_at_ms`,
    updated_at: sql`floating_ips.updated_at_ms`,
  },
};
