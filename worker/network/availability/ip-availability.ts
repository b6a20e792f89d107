import { and, eq, type SQL, sql } from 'drizzle-orm';
import { networks } from '../../../db/schema/network.ts';
import type { ActorContext } from '../../http/context.ts';
import { byText } from '../api/filters.ts';
import { jsonColumn } from '../api/json-column.ts';
import type { Listing, ListQuery } from '../api/listing.ts';
import { integer } from '../api/values.ts';
import { networkNotFound } from '../faults.ts';
import { enforce } from '../policy.ts';

/** Addresses of a subnet: that its pools have, and that are in use. */
interface SubnetUse {
  subnet_id: string;
  subnet_name: string;
  cidr: string;
  ip_version: number;
  total_ips: number;
  used_ips: number;
}

export interface NetworkUse {
  id: string;
  name: string;
  projectId: string;
  subnets: SubnetUse[];
}

/** @param version - of these subnets alone; all without */
const select = (ctx: ActorContext, version: number | null) =>
  ctx.db
    .select({
      id: networks.id,
      name: networks.name,
      projectId: networks.projectId,
      subnets: jsonColumn<SubnetUse[]>(
        sql`(SELECT json_group_array(json_object('subnet_id', s.id, 'subnet_name', s.name, 'cidr', s.cidr, 'ip_version', s.ip_version,
          'total_ips', (SELECT coalesce(sum((p.value ->> 'last') - (p.value ->> 'first') + 1), 0) FROM json_each(s.allocation_pools) p),
          'used_ips', (SELECT count(*) FROM ip_allocations a WHERE a.subnet_id = s.id)) ORDER BY s.created_at_ms, s.id)
          FROM subnets s WHERE s.network_id = networks.id AND (${version} IS NULL OR s.ip_version = ${version}))`,
      ),
    })
    .from(networks);

/** How many addresses networks have and how many are in use. @throws ApiError 403 */
export function listIpUse(ctx: ActorContext, query: ListQuery, version: string | null): Promise<NetworkUse[]> {
  enforce(ctx, 'get_network_ip_availability');
  return select(ctx, version === null ? null : integer(version))
    .where(and(inRegion(ctx), query.where))
    .orderBy(...query.orderBy)
    .limit(query.limit);
}

/** How many addresses one network has. @throws ApiError 403, 404 no such network */
export async function showIpUse(ctx: ActorContext, networkId: string): Promise<NetworkUse> {
  enforce(ctx, 'get_network_ip_availability');
  const [row] = await select(ctx, null).where(and(inRegion(ctx), eq(networks.id, networkId)));
  if (!row) throw networkNotFound(networkId);
  return row;
}

const inRegion = (ctx: ActorContext): SQL => eq(networks.region, ctx.region);

const total = (use: NetworkUse, of: 'total_ips' | 'used_ips') => use.subnets.reduce((sum, one) => sum + one[of], 0);

/** In the API's form. */
export const ipUseView = (use: NetworkUse) => ({
  id: use.id,
  network_id: use.id,
  network_name: use.name,
  tenant_id: use.projectId,
  project_id: use.projectId,
  total_ips: total(use, 'total_ips'),
  used_ips: total(use, 'used_ips'),
  subnet_ip_availability: use.subnets,
});

/** How they are filtered and sorted. */
export const ipUseListing: Listing = {
  table: 'networks',
  filters: {
    network_id: byText(networks.id),
    network_name: byText(networks.name),
    tenant_id: byText(networks.projectId),
    project_id: byText(networks.projectId),
    ip_version: (values) =>
      sql`networks.id IN (SELECT s.network_id FROM subnets s WHERE s.ip_version = ${integer(values[0] ?? '')})`,
  },
  sortKeys: { id: sql`networks.id`, network_id: sql`networks.id`, network_name: sql`networks.name` },
};
