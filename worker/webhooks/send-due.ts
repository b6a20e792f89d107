import { sql } from 'drizzle-orm';
import type { Timers } from '../../shared/clock.ts';
import { runBatch, type Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { type Claim, type Claimed, claimDeliveries } from './claim-deliveries.ts';
import { AT_ONCE_MAX } from './limits.ts';
import { postWebhook } from './post-webhook.ts';
import { recordAttempt } from './record-attempt.ts';

/**
 * Sends what is due of an endpoint, once each and a few at once, and writes down what came of it. When the endpoint asks
 * for rest, or is disabled, what is not sent yet is put back.
 * @returns when more is due, in milliseconds; null for nothing; undefined where there is no such endpoint
 */
export async function sendDue(ctx: Context, endpointId: string, timers: Timers): Promise<number | null | undefined> {
  const claim = await claimDeliveries(ctx, endpointId);
  if (!claim) return undefined;
  const left = [...claim.deliveries];
  let open = true;
  const sender = async () => {
    for (let next = left.shift(); next; next = open ? left.shift() : undefined) {
      const goOn = await send(ctx, timers, claim, next);
      open &&= goOn;
    }
  };
  // None leaves the others behind: a database that is away fails all of them.
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE_MAX }, sender));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
  return settle(ctx, claim);
}

async function send(ctx: Context, timers: Timers, claim: Claim, next: Claimed): Promise<boolean> {
  const { url } = claim.endpoint;
  if (next.body === null) {
    await runBatch(ctx.db, [giveUp(ctx, next)]);
    return true;
  }
  const id = next.delivery.eventId;
  const attempt = await postWebhook(ctx, timers, { url, secrets: claim.secrets, id, body: next.body });
  return recordAttempt(ctx, claim, next, attempt);
}

/** For what cannot be sent any more: neither its payload nor its event is there. */
const giveUp = (ctx: Context, { delivery }: Claimed): Statement =>
  ctx.db.run(sql`
    UPDATE webhook_deliveries SET status = 'failed', reason = 'event-cleared', claim = NULL, next_attempt_ms = NULL,
      finished_at_ms = ${ctx.clock.nowMs()} WHERE id = ${delivery.id}`);

/** Puts back what was claimed and not sent. @returns when the endpoint is due */
async function settle(ctx: Context, claim: Claim): Promise<number | null | undefined> {
  const [, rows] = (await runBatch(ctx.db, [
    ctx.db.run(sql`
      UPDATE webhook_deliveries SET claim = NULL, next_attempt_ms = ${ctx.clock.nowMs()}
      WHERE endpoint_id = ${claim.endpoint.id} AND claim = ${claim.token} AND +status = 'pending'`),
    ctx.db.all(sql`SELECT due_at_ms AS dueAtMs FROM webhook_endpoints WHERE id = ${claim.endpoint.id}`),
  ])) as [unknown, { dueAtMs: number | null }[]];
  return rows[0] ? rows[0].dueAtMs : undefined;
}
