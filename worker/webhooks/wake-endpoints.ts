import { sql } from 'drizzle-orm';
import type { Env } from '../env.ts';
import type { Statement } from '../http/commit.ts';
import type { Context, Log } from '../http/context.ts';
import { WAKES_MAX } from './limits.ts';

/** The database's clock and ours may differ by this much; a sender that is woken early waits. */
const AHEAD_MS = 1_000;

/** How verbs have webhooks sent. Neither call decides what is sent: that is in the database. */
export interface Webhooks {
  /** Has the senders of these endpoints look what is due. Never throws; a lost wake is found by the region's round. */
  wake(endpointIds: Iterable<string>): void;
  /** Has the region's rounds begin, in a region that may have no machines. */
  watch(): void;
}

/** The senders behind their objects, one an endpoint. */
export function objectWebhooks(
  env: Env,
  region: string,
  log: Log,
  waitUntil: (promise: Promise<unknown>) => void,
): Webhooks {
  const lost = (error: unknown) => log.error('wake-failed', { error: String(error) });
  return {
    wake(endpointIds) {
      for (const id of endpointIds) {
        const sender = env.WEBHOOK_SENDER.get(env.WEBHOOK_SENDER.idFromName(id));
        waitUntil(sender.wake(region, id).catch(lost));
      }
    },
    watch() {
      waitUntil(env.REGION_WATCH.get(env.REGION_WATCH.idFromName(region)).watch(region).catch(lost));
    },
  };
}

/**
 * The region's endpoints that something is due to, and whose sender is not at work: an answer of `{id}`s, for the end of a batch
 * that may have told events. Those at work go on by themselves, and must not keep others from being woken.
 */
export const dueEndpoints = (ctx: Context): Statement =>
  ctx.db.all<{ id: string }>(sql`
    SELECT id FROM webhook_endpoints WHERE region = ${ctx.region} AND due_at_ms <= ${ctx.clock.nowMs() + AHEAD_MS}
      AND NOT EXISTS (SELECT 1 FROM webhook_deliveries sent WHERE sent.endpoint_id = webhook_endpoints.id AND sent.claim IS NOT NULL
        AND +sent.status = 'pending' AND sent.next_attempt_ms > ${ctx.clock.nowMs()})
    LIMIT ${WAKES_MAX}`);
