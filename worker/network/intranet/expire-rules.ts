import { and, eq, inArray, isNull, lte, sql } from 'drizzle-orm';
import { intranetRules } from '../../../db/schema/intranet.ts';
import { dropDesired } from '../../fleet/desired.ts';
import { commit } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { hostsOf } from './wishes.ts';

/** Rules that one round ends; more wait for the next. */
const ENDED_MAX = 200;

/** Takes rules whose end has come from the hosts, which have ended them by themselves by then. They stay, as expired. */
export async function expireIntranetRules(ctx: Context): Promise<void> {
  const now = ctx.clock.nowMs();
  const due = and(
    eq(intranetRules.region, ctx.region),
    lte(intranetRules.expiresAtMs, now),
    isNull(intranetRules.endedAtMs),
  );
  const rows = await ctx.db.select({ id: intranetRules.id }).from(intranetRules).where(due).limit(ENDED_MAX);
  if (rows.length === 0) return;
  const ids = rows.map((row) => row.id);
  // Asked again as it is written: one may have got another end meanwhile.
  const ended = sql`(SELECT ended.id FROM intranet_rules ended WHERE ended.expires_at_ms <= ${now} AND ${inArray(sql`ended.id`, ids)})`;
  await commit(ctx, {
    audit: { action: 'intranet:rules:expire', targetType: 'intranet', targetId: ctx.region, detail: { ids } },
    touches: hostsOf(ctx.region),
    statements: [
      dropDesired(ctx.db, 'intranet-exception', sql`desired.id IN ${ended}`),
      ctx.db
        .update(intranetRules)
        .set({ endedAtMs: now })
        .where(and(due, inArray(intranetRules.id, ids))),
    ],
  });
}
