import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { routers } from '../../../db/schema/routers.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { isAdmin } from '../../http/policy.ts';
import { byBoolean, byConstant, byInteger, byText } from '../api/filters.ts';
import { jsonColumn } from '../api/json-column.ts';
import type { Listing, ListQuery } from '../api/listing.ts';
import { standardView } from '../api/views.ts';
import { ownOrAll } from '../api/visibility.ts';
import type { Address } from '../ipam/address-picks.ts';
import { byTags } from '../tags/tag-filters.ts';
import { routerNotFound } from './faults.ts';

/** A port of a router, as far as it matters to the router. */
export interface RouterPort {
  id: string;
  networkId: string;
  gateway: boolean;
  addresses: (Address & { cidr: string })[];
}

const portsOfRouter = sql`(SELECT json_group_array(json_object('id', p.id, 'networkId', p.network_id,
    'gateway', json(CASE WHEN p.device_owner = 'network:router_gateway' THEN 'true' ELSE 'false' END),
    'addresses', (SELECT json_group_array(json_object('subnetId', a.subnet_id, 'hostOffset', a.host_offset, 'ipAddress', a.ip_address, 'cidr', s.cidr)
      ORDER BY a.position) FROM ip_allocations a JOIN subnets s ON s.id = a.subnet_id WHERE a.port_id = p.id)) ORDER BY p.created_at_ms, p.id)
  FROM ports p WHERE p.device_id = routers.id AND p.device_owner IN ('network:router_interface', 'network:router_gateway'))`;

/** Routers as they are shown, with their ports; the caller adds conditions. */
export const selectRouters = (ctx: Context) =>
  ctx.db
    .select({
      ...getTableColumns(routers),
      ports: jsonColumn<RouterPort[]>(portsOfRouter),
      zones: jsonColumn<string[]>(
        sql`(SELECT json_group_array(DISTINCT r.zone) FROM desired d JOIN runners r ON r.id = d.runner_id
          WHERE d.kind = 'router' AND d.id = routers.id AND d.deleted = 0)`,
      ),
    })
    .from(routers);
export type RouterRow = Awaited<ReturnType<typeof selectRouters>>[number];

const visible = (ctx: ActorContext) => ownOrAll(ctx, 'get_router', 'routers');

/** A page of the routers that the actor sees. */
export function listRouters(ctx: ActorContext, query: ListQuery): Promise<RouterRow[]> {
  return selectRouters(ctx)
    .where(and(visible(ctx), query.where))
    .orderBy(...query.orderBy)
    .limit(query.limit);
}

/** One router. @throws ApiError 404 where there is none that the actor sees */
export async function showRouter(ctx: ActorContext, id: string): Promise<RouterRow> {
  const [row] = await selectRouters(ctx).where(and(eq(routers.id, id), visible(ctx)));
  if (!row) throw routerNotFound(id);
  return row;
}

export const gatewayOf = (row: Pick<RouterRow, 'ports'>): RouterPort | undefined =>
  row.ports.find((port) => port.gateway);
export const interfacesOf = (row: Pick<RouterRow, 'ports'>): RouterPort[] => row.ports.filter((port) => !port.gateway);

/** A router in the API's form. How it is built, only an admin sees. */
export function routerView(ctx: ActorContext, row: RouterRow) {
  const gateway = gatewayOf(row);
  return {
    id: row.id,
    name: row.name,
    admin_state_up: row.adminStateUp,
    status: 'ACTIVE',
    external_gateway_info: gateway
      ? {
          network_id: gateway.networkId,
          enable_snat: row.enableSnat,
          external_fixed_ips: gateway.addresses.map(({ subnetId, ipAddress }) => ({
            subnet_id: subnetId,
            ip_address: ipAddress,
          })),
        }
      : null,
    routes: row.routes,
    availability_zone_hints: row.availabilityZoneHints,
    availability_zones: row.zones,
    ...(isAdmin(ctx) ? { distributed: true, ha: false } : {}),
    ...standardView(row),
  };
}

/** How routers are filtered and sorted. */
export const routerListing: Listing = {
  table: 'routers',
  filters: {
    id: byText(routers.id),
    name: byText(routers.name),
    description: byText(routers.description),
    tenant_id: byText(routers.projectId),
    project_id: byText(routers.projectId),
    admin_state_up: byBoolean(routers.adminStateUp),
    status: byConstant('ACTIVE'),
    distributed: byConstant(true),
    ha: byConstant(false),
    ...byTags(routers.tags),
    revision_number: byInteger(routers.revision),
  },
  sortKeys: {
    id: sql`routers.id`,
    name: sql`routers.name`,
    tenant_id: sql`routers.project_id`,
    project_id: sql`routers.project_id`,
    admin_state_up: sql`routers.admin_state_up`,
    created_at: sql`routers.created_at_ms`,
    updated_at: sql`routers.updated_at_ms`,
  },
};
