import { sql } from 'drizzle-orm';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { DAY_MS } from '../rating/calendar.ts';
import type { Scope } from './list-scopes.ts';

/** How far back one call may have usage rated again, and for how many projects. */
const BACK_DAYS_MAX = 400;
const SCOPES_MAX = 1_000;

/** What the audit keeps of it; a list of reprocesses is read from there. */
export interface Again {
  action: 'rating:scopes:reset' | 'rating:reprocesses:create';
  detail: Record<string, unknown>;
}

/**
 * Has the farmer rate all usage of some projects again, from a moment on. What is booked stays: only what differs is booked,
 * as a difference, so that doing it again books nothing.
 * @throws ApiError 400 too far back, or too many
 */
export async function rateAgain(ctx: ActorContext, scopes: Scope[], fromMs: number, { action, detail }: Again) {
  const chargedMs = Math.max(...scopes.map(({ chargedThroughMs }) => chargedThroughMs));
  if (chargedMs - fromMs > BACK_DAYS_MAX * DAY_MS)
    throw badRequest(`Usage is rated again for ${BACK_DAYS_MAX} days at most.`);
  if (scopes.length > SCOPES_MAX) throw badRequest(`These are over ${SCOPES_MAX} scopes: name some of them.`);
  const ids = scopes.map(({ projectId }) => projectId);
  const from = sql`max(${fromMs}, start_ms)`;
  await commit(ctx, {
    audit: {
      action,
      targetType: action === 'rating:scopes:reset' ? 'billing-scopes' : 'billing-reprocess',
      targetId: ctx.ids.uuid(),
      detail: { ...detail, scope_ids: ids },
    },
    statements: [
      ctx.db.run(sql`UPDATE billing_subscriptions SET dirty_from_ms = min(coalesce(dirty_from_ms, ${from}), ${from}),
          due_ms = min(coalesce(due_ms, ${from}), ${from}), revision = revision + 1
        WHERE region = ${ctx.region} AND project_id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))
          AND visited_ms >= ${from} AND (end_ms IS NULL OR end_ms > ${fromMs})`),
    ],
  });
}
