import { and, eq, type SQL, sql } from 'drizzle-orm';
import { intranetRules } from '../../../db/schema/intranet.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { byAny, byInteger, byText } from '../api/filters.ts';
import type { Listing, ListQuery } from '../api/listing.ts';
import { policy } from './policy.ts';
import type { RuleRow } from './views.ts';

/** How rules are filtered and sorted. @param nowMs - what has ended depends on it */
export function ruleListing(nowMs: number): Listing {
  const expired = sql`(intranet_rules.expires_at_ms IS NOT NULL AND intranet_rules.expires_at_ms <= ${nowMs})`;
  return {
    table: 'intranet_rules',
    filters: {
      id: byText(intranetRules.id),
      source_type: byText(intranetRules.sourceType),
      source_id: byText(intranetRules.sourceId),
      destination: byText(intranetRules.destination),
      protocol: byInteger(intranetRules.protocol),
      description: byText(intranetRules.description),
      created_by: byText(intranetRules.createdBy),
      status: byAny((status) => statusIs(status, expired)),
    },
    sortKeys: {
      id: sql`intranet_rules.id`,
      destination: sql`intranet_rules.destination`,
      created_at: sql`intranet_rules.created_at_ms`,
      expires_at: sql`coalesce(intranet_rules.expires_at_ms, 9007199254740991)`,
    },
  };
}

function statusIs(status: string, expired: SQL): SQL {
  if (status === 'expired') return expired;
  if (status === 'active') return sql`NOT ${expired}`;
  throw badRequest(`A rule's status is 'active' or 'expired', not '${status.slice(0, 64)}'.`);
}

const ofRegion = (ctx: ActorContext) => eq(intranetRules.region, ctx.region);

/** A page of the region's rules. */
export function listRules(ctx: ActorContext, query: ListQuery): Promise<RuleRow[]> {
  authorize(ctx, policy, 'intranet:rules:list');
  return ctx.db
    .select()
    .from(intranetRules)
    .where(and(ofRegion(ctx), query.where))
    .orderBy(...query.orderBy)
    .limit(query.limit);
}

/** @throws ApiError 404 */
export async function showRule(ctx: ActorContext, id: string): Promise<RuleRow> {
  authorize(ctx, policy, 'intranet:rules:show');
  const [row] = await ctx.db
    .select()
    .from(intranetRules)
    .where(and(ofRegion(ctx), eq(intranetRules.id, id)));
  if (!row) throw notFound(`Intranet rule ${id} could not be found.`);
  return row;
}
