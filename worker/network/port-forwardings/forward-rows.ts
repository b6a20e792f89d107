import { and, eq, sql } from 'drizzle-orm';
import { portForwardings } from '../../../db/schema/routers.ts';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { byInteger, byText } from '../api/filters.ts';
import type { Listing, ListQuery } from '../api/listing.ts';
import { type FloatingIpRow, showFloatingIp } from '../floating-ips/floating-ip-rows.ts';
import { enforce } from '../policy.ts';

export type StoredForward = typeof portForwardings.$inferSelect;

export const forwardNotFound = (id: string) =>
  notFound(`Port Forwarding ${id} could not be found.`, 'PortForwardingNotFound');

/** The floating IP of a request about its forwarded ports, for who may see those. @throws ApiError 403, 404 */
export async function parentOf(ctx: ActorContext, floatingIpId: string): Promise<FloatingIpRow> {
  const fip = await showFloatingIp(ctx, floatingIpId);
  enforce(ctx, 'get_floatingip_port_forwarding', { projectId: fip.projectId });
  return fip;
}

/** A page of the forwarded ports of a floating IP. @throws ApiError 404 */
export async function listForwards(
  ctx: ActorContext,
  floatingIpId: string,
  query: ListQuery,
): Promise<StoredForward[]> {
  const fip = await parentOf(ctx, floatingIpId);
  return ctx.db
    .select()
    .from(portForwardings)
    .where(and(eq(portForwardings.floatingIpId, fip.id), query.where))
    .orderBy(...query.orderBy)
    .limit(query.limit);
}

/** One forwarded port, with its floating IP. @throws ApiError 404 */
export async function showForward(
  ctx: ActorContext,
  floatingIpId: string,
  id: string,
): Promise<{ fip: FloatingIpRow; row: StoredForward }> {
  const fip = await parentOf(ctx, floatingIpId);
  const [row] = await ctx.db
    .select()
    .from(portForwardings)
    .where(and(eq(portForwardings.floatingIpId, fip.id), eq(portForwardings.id, id)));
  if (!row) throw forwardNotFound(id);
  return { fip, row };
}

/** A forwarded port in the API's form. */
export const forwardView = (row: StoredForward) => ({
  id: row.id,
  description: row.description,
  protocol: row.protocol,
  internal_port_id: row.portId,
  internal_ip_address: row.internalIpAddress,
  internal_port: row.internalFirst === row.internalLast ? row.internalFirst : null,
  internal_port_range: row.internalFirst === null ? null : `${row.internalFirst}:${row.internalLast}`,
  external_port: row.externalFirst === row.externalLast ? row.externalFirst : null,
  external_port_range: row.externalFirst === null ? null : `${row.externalFirst}:${row.externalLast}`,
});

/** How forwarded ports are filtered and sorted. */
export const forwardListing: Listing = {
  table: 'port_forwardings',
  filters: {
    id: byText(portForwardings.id),
    internal_port_id: byText(portForwardings.portId),
    protocol: byText(portForwardings.protocol),
    external_port: byInteger(portForwardings.externalFirst),
    external_port_range: byText(sql`port_forwardings.external_first || ':' || port_forwardings.external_last`),
    description: byText(portForwardings.description),
  },
  sortKeys: {
    id: sql`port_forwardings.id`,
    internal_port_id: sql`port_forwardings.port_id`,
    protocol: sql`port_forwardings.protocol`,
    external_port: sql`coalesce(port_forwardings.external_first, 0)`,
    external_port_range: sql`coalesce(port_forwardings.external_first, 0)`,
    description: sql`port_forwardings.description`,
  },
};
