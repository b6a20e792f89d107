import { type SQL, sql } from 'drizzle-orm';
import { AssertionFailed, assertThat, commit, runBatch, type Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { type Claim, type Claimed, lifeOf } from './claim-deliveries.ts';
import { clearEndpoints } from './clear-endpoints.ts';
import { chanceOf, nextAttemptMs, restMs } from './ladder.ts';
import { AWAY_MS, FAILING_MS_MAX, RETURNED_MAX } from './limits.ts';
import { type Attempt, succeeded } from './post-webhook.ts';

/** The status by which a receiver says that it wants no more. */
const GONE = 410;

/**
 * Writes down an attempt and what follows from it, as one batch: the end of the delivery or its next attempt, the rest
 * that the endpoint asked for, and its end where it is gone or dead.
 * @returns whether more may be sent to the endpoint now
 */
export async function recordAttempt(ctx: Context, claim: Claim, sent: Claimed, attempt: Attempt): Promise<boolean> {
  const noted = notes(ctx, sent, attempt);
  if (succeeded(attempt)) {
    await runBatch(ctx.db, [...noted, ...success(ctx, sent), ...welcomeBack(ctx, claim)]);
    return true;
  }
  const nowMs = ctx.clock.nowMs();
  const rest = restMs(attempt, nowMs);
  const statements = [...noted, ...failure(ctx, claim, sent, attempt, rest)];
  const reason = endOf(claim, attempt, nowMs);
  if (reason === null) {
    await runBatch(ctx.db, statements);
    return rest === 0;
  }
  const targetId = claim.endpoint.id;
  try {
    await commit(ctx, {
      audit: { action: 'webhooks:endpoints:disable', targetType: 'webhook-endpoint', targetId, detail: { reason } },
      statements: [
        assertThat(ctx.db, 'the-same', sql`EXISTS (SELECT 1 FROM webhook_endpoints WHERE ${asClaimed(claim)})`),
        ...statements,
        disable(ctx, claim, reason),
        ...clearEndpoints(ctx, targetId),
      ],
    });
  } catch (error) {
    if (!(error instanceof AssertionFailed)) throw error;
    await runBatch(ctx.db, statements);
  }
  return false;
}

/** Whether an endpoint is the one that was sent to: since then it may have been turned off and on, or led elsewhere. */
const asClaimed = ({ endpoint: { id, life, url } }: Claim): SQL => sql`id = ${id} AND life = ${life} AND url = ${url}`;

/** Why the endpoint gets nothing more; null where it does. */
function endOf({ endpoint }: Claim, { status }: Attempt, nowMs: number): 'gone' | 'failing' | null {
  if (status === GONE) return 'gone';
  return nowMs - (endpoint.failingSinceMs ?? nowMs) >= FAILING_MS_MAX ? 'failing' : null;
}

/** The attempt, under the next number, and what was sent, as it is sent from now on. */
function notes(ctx: Context, { delivery, body }: Claimed, attempt: Attempt): Statement[] {
  const { atMs, durationMs, status, error, answer } = attempt;
  return [
    ctx.db.run(sql`
      INSERT INTO webhook_attempts (delivery_id, number, at_ms, duration_ms, status, error, answer)
      SELECT id, attempts + 1, ${atMs}, ${durationMs}, ${status}, ${error}, ${answer} FROM webhook_deliveries WHERE id = ${delivery.id}`),
    ctx.db.run(sql`
      UPDATE webhook_deliveries SET attempts = attempts + 1, last_status = ${status}, body = coalesce(body, ${body})
      WHERE id = ${delivery.id}`),
  ];
}

/** It is there, whoever else claimed or gave up the delivery meanwhile. */
const success = (ctx: Context, { delivery }: Claimed): Statement[] => [
  ctx.db.run(sql`
    UPDATE webhook_deliveries SET status = 'delivered', tries = 0, claim = NULL, next_attempt_ms = NULL, reason = NULL,
      finished_at_ms = ${ctx.clock.nowMs()} WHERE id = ${delivery.id} AND status <> 'delivered'`),
];

/**
 * Nothing is wrong with the endpoint any more. What waits for one that was away is due at once, and that attempt is not
 * counted, so that what it will never take does not climb the ladder any sooner.
 */
function welcomeBack(ctx: Context, { endpoint }: Claim): Statement[] {
  const { id, failingSinceMs } = endpoint;
  const nowMs = ctx.clock.nowMs();
  const away = failingSinceMs !== null && nowMs - failingSinceMs >= AWAY_MS;
  const waiting = ctx.db.run(sql`
    UPDATE webhook_deliveries SET next_attempt_ms = ${nowMs}, tries = max(0, tries - 1)
    WHERE id IN (SELECT id FROM webhook_deliveries WHERE endpoint_id = ${id} AND life = ${lifeOf(id)} AND status = 'pending' AND claim IS NULL AND tries > 0
        AND next_attempt_ms > ${nowMs} AND created_at_ms > ${nowMs - FAILING_MS_MAX} LIMIT ${RETURNED_MAX})
      AND EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = ${id} AND failing_since_ms IS NOT NULL)`);
  const well = ctx.db.run(sql`
    UPDATE webhook_endpoints SET failing_since_ms = NULL WHERE id = ${id} AND failing_since_ms IS NOT NULL`);
  return away ? [waiting, well] : [well];
}

function failure(ctx: Context, claim: Claim, { delivery }: Claimed, { status }: Attempt, rest: number): Statement[] {
  const nowMs = ctx.clock.nowMs();
  const next = nextAttemptMs({ tries: delivery.tries + 1, nowMs, chance: chanceOf(ctx.ids.hex()), restMs: rest });
  const over = status === GONE ? 'endpoint-gone' : next === null ? 'attempts-exhausted' : null;
  const held = sql`id = ${delivery.id} AND claim = ${claim.token} AND status = 'pending'`;
  return [
    ctx.db.run(sql`
      UPDATE webhook_endpoints SET failing_since_ms = ${nowMs} WHERE ${asClaimed(claim)} AND failing_since_ms IS NULL`),
    ...(rest > 0
      ? [ctx.db.run(sql`UPDATE webhook_endpoints SET paused_until_ms = ${nowMs + rest} WHERE ${asClaimed(claim)}`)]
      : []),
    over === null
      ? ctx.db.run(sql`
          UPDATE webhook_deliveries SET tries = tries + 1, claim = NULL, next_attempt_ms = ${next} WHERE ${held}`)
      : ctx.db.run(sql`
          UPDATE webhook_deliveries SET tries = tries + 1, claim = NULL, next_attempt_ms = NULL, status = 'failed', reason = ${over},
            finished_at_ms = ${nowMs} WHERE ${held}`),
  ];
}

/** A trigger ends its life, and tells the others. */
function disable(ctx: Context, claim: Claim, reason: 'gone' | 'failing'): Statement {
  const nowMs = ctx.clock.nowMs();
  return ctx.db.run(sql`
    UPDATE webhook_endpoints SET enabled = 0, disabled_reason = ${reason}, disabled_at_ms = ${nowMs}, updated_at_ms = ${nowMs}
    WHERE ${asClaimed(claim)} AND enabled = 1`);
}
