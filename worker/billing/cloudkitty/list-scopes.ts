import { sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';

/** What stands where CloudKitty names the ways by which it came to its data. */
export const COLLECTOR = 'aerostat';
export const SCOPE_KEY = 'project_id';

export interface Scope {
  projectId: string;
  /** Through when all of its usage is charged. */
  chargedThroughMs: number;
  /** Whether anything is still subscribed. */
  active: 0 | 1;
}

export interface ScopeFilter {
  scope_id: readonly string[];
  scope_key?: readonly string[];
  fetcher?: readonly string[];
  collector?: readonly string[];
  active?: readonly string[];
}

/**
 * Projects that something was subscribed for, and how far that is charged: what goes on or is not charged to its end says so,
 * whichever of it is least far; what is charged ahead counts to now.
 */
export async function listScopes(
  ctx: ActorContext,
  of: ScopeFilter,
  { offset, limit }: { offset: number; limit: number },
): Promise<Scope[]> {
  const names = (list: readonly string[] | undefined, name: string) => !list?.length || list.includes(name);
  if (!names(of.scope_key, SCOPE_KEY) || !names(of.fetcher, COLLECTOR) || !names(of.collector, COLLECTOR)) return [];
  const ids = sql.join(
    of.scope_id.map((id) => sql`${id}`),
    sql`, `,
  );
  const wanted = of.scope_id.length === 0 ? sql`1` : sql`project_id IN (${ids})`;
  const active = [...new Set((of.active ?? []).map(Number))];
  const state = active.length === 1 ? sql`active = ${active[0]}` : sql`1`;
  return await ctx.db.all<Scope>(sql`
    SELECT project_id AS "projectId", max(end_ms IS NULL) AS active,
      min(${ctx.clock.nowMs()}, coalesce(min(CASE WHEN end_ms IS NULL OR charged_through_ms < end_ms THEN charged_through_ms END), max(charged_through_ms)))
        AS "chargedThroughMs"
    FROM billing_subscriptions WHERE region = ${ctx.region} AND ${wanted}
    GROUP BY project_id HAVING ${state} ORDER BY project_id LIMIT ${limit} OFFSET ${offset}`);
}
