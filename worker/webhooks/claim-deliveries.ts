import { type SQL, sql } from 'drizzle-orm';
import { events } from '../../db/schema/events.ts';
import { webhookDeliveries, webhookEndpoints, webhookSecrets } from '../../db/schema/webhooks.ts';
import { runBatch } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import type { SecretRow } from './keys.ts';
import { CLAIM_MS, CLAIMED_MAX } from './limits.ts';
import { type EventRow, payloadOf } from './payload.ts';

export type EndpointRow = typeof webhookEndpoints.$inferSelect;
export type DeliveryRow = typeof webhookDeliveries.$inferSelect;

/** A delivery that is ours to send now. */
export interface Claimed {
  delivery: DeliveryRow;
  /** As it was sent before, or from its event; null where that is gone, too. */
  body: string | null;
}
export interface Claim {
  token: string;
  endpoint: EndpointRow;
  secrets: SecretRow[];
  deliveries: Claimed[];
}

/**
 * Takes what is due of an endpoint, so that no other sender does until the claim ends. Whoever is killed with a claim in
 * hand has sent it or not: it is sent again when the claim has ended.
 * @returns undefined where there is no such endpoint
 */
export async function claimDeliveries(ctx: Context, endpointId: string): Promise<Claim | undefined> {
  const nowMs = ctx.clock.nowMs();
  const token = ctx.ids.hex();
  const ready = sql`EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = ${endpointId} AND enabled = 1 AND coalesce(paused_until_ms, 0) <= ${nowMs})`;
  const [, endpoints, secrets, deliveries] = (await runBatch(ctx.db, [
    ctx.db.run(sql`
      UPDATE webhook_deliveries SET claim = ${token}, next_attempt_ms = ${nowMs + CLAIM_MS}
      WHERE id IN (SELECT id FROM webhook_deliveries WHERE endpoint_id = ${endpointId} AND life = ${lifeOf(endpointId)}
        AND status = 'pending' AND next_attempt_ms <= ${nowMs}
        AND ${ready} ORDER BY next_attempt_ms, event_sequence LIMIT ${CLAIMED_MAX})`),
    ctx.db.select().from(webhookEndpoints).where(sql`id = ${endpointId} AND deleted_at_ms IS NULL`),
    ctx.db
      .select()
      .from(webhookSecrets)
      .where(live(endpointId, nowMs))
      .orderBy(sql`created_at_ms DESC, expires_at_ms IS NULL DESC`),
    ctx.db
      .select({ delivery: webhookDeliveries, event: events })
      .from(webhookDeliveries)
      .leftJoin(events, sql`${events.id} = ${webhookDeliveries.eventId}`)
      .where(sql`${webhookDeliveries.endpointId} = ${endpointId} AND ${webhookDeliveries.claim} = ${token}`)
      .orderBy(sql`+${webhookDeliveries.eventSequence}`),
  ])) as [unknown, EndpointRow[], SecretRow[], { delivery: DeliveryRow; event: EventRow | null }[]];
  const [endpoint] = endpoints;
  if (!endpoint) return undefined;
  const claimed = deliveries.map(({ delivery, event }) => ({ delivery, body: delivery.body ?? bodyOf(event) }));
  return { token, endpoint, secrets, deliveries: claimed };
}

/** The life that an endpoint is in as a statement runs: what is to be sent is of it. */
export const lifeOf = (endpointId: string): SQL => sql`(SELECT life FROM webhook_endpoints WHERE id = ${endpointId})`;

/** Ends the claims of senders before: for one that knows that it is the only one. */
export async function endClaims(ctx: Context, endpointId: string): Promise<void> {
  await ctx.db.run(sql`
    UPDATE webhook_deliveries SET claim = NULL, next_attempt_ms = ${ctx.clock.nowMs()}
    WHERE endpoint_id = ${endpointId} AND +status = 'pending' AND claim IS NOT NULL`);
}

const live = (endpointId: string, nowMs: number): SQL =>
  sql`endpoint_id = ${endpointId} AND (expires_at_ms IS NULL OR expires_at_ms > ${nowMs})`;
const bodyOf = (event: EventRow | null) => (event === null ? null : payloadOf(event));
