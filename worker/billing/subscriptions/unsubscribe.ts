import { and, eq, sql } from 'drizzle-orm';
import { billingSubscriptions } from '../../../db/schema/billing.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { policy } from '../policy.ts';
import { ceilHour } from '../rating/calendar.ts';

/**
 * Ends what was subscribed by call; what is metered ends with its hour. One that has ended stays as it is.
 * @throws ApiError 404; 409 it lives as long as its resource
 */
export async function unsubscribe(ctx: ActorContext, id: string): Promise<void> {
  authorize(ctx, policy, 'billing:subscriptions:end');
  const [row] = await ctx.db
    .select()
    .from(billingSubscriptions)
    .where(and(eq(billingSubscriptions.id, id), eq(billingSubscriptions.region, ctx.region)));
  if (!row) throw notFound(`There is no subscription ${id}.`);
  if (row.endMs !== null) return;
  if (row.openedBy !== 'call') throw conflict('This subscription ends with its resource: delete that.');
  const now = ctx.clock.nowMs();
  const endMs = Math.max(row.startMs, row.kind === 'volume' ? ceilHour(now) : now);
  await commit(ctx, {
    audit: { action: 'billing:subscriptions:end', targetType: 'billing-subscription', targetId: id, detail: { endMs } },
    statements: [
      ctx.db.run(sql`UPDATE billing_subscriptions SET end_ms = ${endMs}, due_ms = min(coalesce(due_ms, ${endMs}), ${endMs}), revision = revision + 1,
          dirty_from_ms = CASE WHEN visited_ms >= ${endMs} THEN min(coalesce(dirty_from_ms, ${endMs}), ${endMs}) ELSE dirty_from_ms END
        WHERE id = ${id} AND end_ms IS NULL`),
    ],
  });
}
