import { type SQL, sql } from 'drizzle-orm';
import { AssertionFailed, assertThat, type Change, commit, type Statement } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { conflict } from '../http/errors.ts';
import type { Replay } from './bodies.ts';
import { type EndpointRow, lifeOf } from './claim-deliveries.ts';
import { findDelivery } from './deliveries.ts';
import { findEndpoint } from './endpoints.ts';
import { REPLAYED_MAX } from './limits.ts';

const disabled = (id: string) => conflict(`Webhook endpoint ${id} is disabled: enable it first.`);

/**
 * Sends one delivery again, under the same id and with the same payload; one that is still on its way stays as it is.
 * @throws ApiError 403, 404; 409 its endpoint is disabled
 */
export async function replayDelivery(ctx: ActorContext, id: string): Promise<void> {
  const { endpointId } = await findDelivery(ctx, 'webhooks:deliveries:replay', id);
  const { enabled } = await findEndpoint(ctx, 'webhooks:deliveries:replay', endpointId);
  if (!enabled) throw disabled(endpointId);
  await commitEnabled(ctx, endpointId, {
    audit: { action: 'webhooks:deliveries:replay', targetType: 'webhook-delivery', targetId: id },
    statements: [
      sendAgain(ctx, endpointId, null, sql`WHERE id = ${id} AND (status <> 'pending' OR life < ${lifeOf(endpointId)})`),
    ],
  });
}

/** Commits unless the endpoint was disabled since it was read: what waits for one that is would wait for ever. */
async function commitEnabled(ctx: ActorContext, endpointId: string, change: Change): Promise<unknown[]> {
  const enabled = sql`EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = ${endpointId} AND enabled = 1)`;
  try {
    const statements = [assertThat(ctx.db, 'enabled', enabled), ...change.statements];
    return (await commit(ctx, { ...change, statements })).slice(1);
  } catch (error) {
    throw error instanceof AssertionFailed ? disabled(endpointId) : error;
  }
}

/**
 * Sends an endpoint again what it did not take in a range of time, and what it was not told while it was disabled or
 * filtered otherwise; what it took, too, where that is asked. A replay that is named twice sends nothing twice.
 * @returns its name, how many it sends, and whether that is all: call it again by its name where it is not
 * @throws ApiError 403, 404; 409 it is disabled
 */
export async function replayRange(ctx: ActorContext, endpointId: string, replay: Replay) {
  const endpoint = await findEndpoint(ctx, 'webhooks:endpoints:replay', endpointId);
  if (!endpoint.enabled) throw disabled(endpointId);
  const { id = ctx.ids.uuid(), delivered } = replay;
  const range = { sinceMs: Date.parse(replay.since), untilMs: untilOf(ctx, replay) };
  const again = sql`endpoint_id = ${endpointId} AND created_at_ms >= ${range.sinceMs} AND created_at_ms < ${range.untilMs}
    AND replay_id IS NOT ${id}`;
  const sent = (await commitEnabled(ctx, endpointId, {
    audit: {
      action: 'webhooks:endpoints:replay',
      targetType: 'webhook-endpoint',
      targetId: endpointId,
      detail: { id, ...range, delivered },
    },
    statements: [
      sendMissed(ctx, endpoint, id, range),
      sendAgain(ctx, endpointId, id, sql`WHERE ${again} AND status = 'failed' ${OLDEST}`),
      // No round has come to give them up yet.
      sendAgain(
        ctx,
        endpointId,
        id,
        sql`INDEXED BY webhook_deliveries_due WHERE ${again} AND status = 'pending' AND life < ${lifeOf(endpointId)}`,
      ),
      ...(delivered ? [sendAgain(ctx, endpointId, id, sql`WHERE ${again} AND status = 'delivered' ${OLDEST}`)] : []),
    ],
  })) as { id: string }[][];
  const counts = sent.map((rows) => rows.length);
  const count = counts.reduce((sum, rows) => sum + rows, 0);
  return { id, count, complete: Math.max(...counts) < REPLAYED_MAX };
}

const untilOf = (ctx: ActorContext, { until }: Replay) => (until ? Date.parse(until) : ctx.clock.nowMs() + 1);

const OLDEST = sql`ORDER BY created_at_ms`;

/** Puts deliveries that are over, or that an end of the endpoint's life left behind, on the first step of the ladder. */
const sendAgain = (ctx: ActorContext, endpointId: string, replayId: string | null, which: SQL): Statement =>
  ctx.db.all(sql`
    UPDATE webhook_deliveries SET status = 'pending', tries = 0, life = ${lifeOf(endpointId)}, next_attempt_ms = ${ctx.clock.nowMs()},
      claim = NULL, reason = NULL, finished_at_ms = NULL, replay_id = ${replayId}
    WHERE id IN (SELECT id FROM webhook_deliveries ${which} LIMIT ${REPLAYED_MAX}) RETURNING id`);

/** Deliveries of events that an endpoint would be told now, and was not. */
function sendMissed(
  ctx: ActorContext,
  { id, region, projectId, events }: EndpointRow,
  replayId: string,
  { sinceMs, untilMs }: { sinceMs: number; untilMs: number },
): Statement {
  const own = projectId === null ? sql`1` : sql`event.project_id = ${projectId}`;
  return ctx.db.all(sql`
    INSERT INTO webhook_deliveries (id, endpoint_id, event_id, event_sequence, type, status, life, next_attempt_ms,
      created_at_ms, replay_id)
    SELECT lower(hex(randomblob(16))), ${id}, event.id, event.sequence, event.type, 'pending', ${lifeOf(id)},
      ${ctx.clock.nowMs()}, event.at_ms, ${replayId}
    FROM events AS event
    WHERE event.region = ${region} AND event.at_ms >= ${sinceMs} AND event.at_ms < ${untilMs} AND ${own} AND event.type <> 'webhook.test'
      AND NOT EXISTS (SELECT 1 FROM webhook_deliveries WHERE endpoint_id = ${id} AND event_sequence = event.sequence)
      AND EXISTS (SELECT 1 FROM json_each(${JSON.stringify(events)}) AS wanted WHERE event.type GLOB wanted.value)
    ORDER BY event.at_ms LIMIT ${REPLAYED_MAX} RETURNING id`);
}
