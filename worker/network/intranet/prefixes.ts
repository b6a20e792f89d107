import { and, eq, sql } from 'drizzle-orm';
import { intranetPrefixes } from '../../../db/schema/intranet.ts';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { byInteger, byText } from '../api/filters.ts';
import type { Listing, ListQuery } from '../api/listing.ts';
import { policy } from './policy.ts';
import type { PrefixRow } from './views.ts';

export const prefixListing: Listing = {
  table: 'intranet_prefixes',
  filters: {
    id: byText(intranetPrefixes.id),
    prefix: byText(intranetPrefixes.prefix),
    ip_version: byInteger(intranetPrefixes.ipVersion),
    description: byText(intranetPrefixes.description),
    created_by: byText(intranetPrefixes.createdBy),
  },
  sortKeys: {
    id: sql`intranet_prefixes.id`,
    prefix: sql`intranet_prefixes.prefix`,
    created_at: sql`intranet_prefixes.created_at_ms`,
  },
};

const ofRegion = (ctx: ActorContext) => eq(intranetPrefixes.region, ctx.region);
export const prefixNotFound = (id: string) => notFound(`Intranet prefix ${id} could not be found.`);

/** A page of the region's prefixes. */
export function listPrefixes(ctx: ActorContext, query: ListQuery): Promise<PrefixRow[]> {
  authorize(ctx, policy, 'intranet:prefixes:list');
  return ctx.db
    .select()
    .from(intranetPrefixes)
    .where(and(ofRegion(ctx), query.where))
    .orderBy(...query.orderBy)
    .limit(query.limit);
}

/** @throws ApiError 404 */
export async function showPrefix(ctx: ActorContext, id: string): Promise<PrefixRow> {
  authorize(ctx, policy, 'intranet:prefixes:show');
  const [row] = await ctx.db
    .select()
    .from(intranetPrefixes)
    .where(and(ofRegion(ctx), eq(intranetPrefixes.id, id)));
  if (!row) throw prefixNotFound(id);
  return row;
}
