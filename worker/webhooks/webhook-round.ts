import { sql } from 'drizzle-orm';
import { runBatch, type Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { clearEndpoints } from './clear-endpoints.ts';
import { CLEARED_MAX, CLEARING_BATCHES_MAX, DELIVERIES_KEEP_MS, EVENTS_KEEP_MS } from './limits.ts';
import { dueEndpoints } from './wake-endpoints.ts';

/** Wakes whoever something is due to, whatever wake was lost, and clears away what is over. For the region's alarm. */
export async function webhookRound(ctx: Context): Promise<void> {
  const [due] = (await runBatch(ctx.db, [dueEndpoints(ctx)])) as [{ id: string }[]];
  ctx.webhooks.wake(due.map(({ id }) => id));
  for (let batches = 0; batches < CLEARING_BATCHES_MAX; batches += 1) {
    const cleared = (await runBatch(ctx.db, [...clearEndpoints(ctx), ...clearOld(ctx)])) as { rowsAffected: number }[];
    if (cleared.every(({ rowsAffected }) => rowsAffected < CLEARED_MAX)) return;
  }
}

/** Old deliveries and events go, but no event that is still on its way to somebody; and secrets that sign no more. */
function clearOld(ctx: Context): Statement[] {
  const nowMs = ctx.clock.nowMs();
  const own = sql`EXISTS (SELECT 1 FROM webhook_endpoints WHERE webhook_endpoints.id = endpoint_id AND region = ${ctx.region})`;
  return [
    ctx.db.run(sql`DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries
      WHERE finished_at_ms < ${nowMs - DELIVERIES_KEEP_MS} AND ${own} LIMIT ${CLEARED_MAX})`),
    ctx.db.run(sql`DELETE FROM events WHERE sequence IN (SELECT sequence FROM events
      WHERE region = ${ctx.region} AND at_ms < ${nowMs - EVENTS_KEEP_MS}
        AND NOT EXISTS (SELECT 1 FROM webhook_deliveries WHERE event_id = events.id AND status = 'pending') LIMIT ${CLEARED_MAX})`),
    ctx.db.run(sql`DELETE FROM webhook_secrets WHERE expires_at_ms <= ${nowMs} AND ${own}`),
  ];
}
