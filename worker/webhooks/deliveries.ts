import { asc, eq, sql } from 'drizzle-orm';
import { events } from '../../db/schema/events.ts';
import { webhookAttempts, webhookDeliveries } from '../../db/schema/webhooks.ts';
import { runBatch } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { notFound } from '../http/errors.ts';
import { byText } from '../network/api/filters.ts';
import type { Listing, ListQuery } from '../network/api/listing.ts';
import type { DeliveryRow } from './claim-deliveries.ts';
import { findEndpoint } from './endpoints.ts';
import { type EventRow, payloadOf } from './payload.ts';
import type { WebhookAction } from './policy.ts';
import type { AttemptRow } from './views.ts';

/** The order of deliveries is that of their events. */
export const deliveryListing: Listing = {
  table: 'webhook_deliveries',
  filters: {
    id: byText(webhookDeliveries.id),
    event_id: byText(webhookDeliveries.eventId),
    type: byText(webhookDeliveries.type),
    status: byText(webhookDeliveries.status),
    reason: byText(webhookDeliveries.reason),
    replay_id: byText(webhookDeliveries.replayId),
  },
  sortKeys: {
    id: sql`webhook_deliveries.event_sequence`,
    created_at: sql`webhook_deliveries.created_at_ms`,
  },
};

/** A page of an endpoint's deliveries. @throws ApiError 403, 404 */
export async function listDeliveries(ctx: ActorContext, endpointId: string, query: ListQuery): Promise<DeliveryRow[]> {
  await findEndpoint(ctx, 'webhooks:deliveries:list', endpointId);
  return ctx.db
    .select()
    .from(webhookDeliveries)
    .where(sql`${eq(webhookDeliveries.endpointId, endpointId)} AND ${query.where ?? sql`1`}`)
    .orderBy(...query.orderBy)
    .limit(query.limit);
}

/** A delivery for an action on it. @throws ApiError 403, 404 (also where it is of another project) */
export async function findDelivery(ctx: ActorContext, action: WebhookAction, id: string): Promise<DeliveryRow> {
  const missing = notFound(`Webhook delivery ${id} could not be found.`);
  const [row] = await ctx.db.select().from(webhookDeliveries).where(eq(webhookDeliveries.id, id));
  if (!row) throw missing;
  await findEndpoint(ctx, action, row.endpointId).catch((error: { status?: number }) => {
    throw error.status === 404 ? missing : error;
  });
  return row;
}

/** A delivery with its payload and attempts. @throws ApiError 403, 404 */
export async function showDelivery(ctx: ActorContext, id: string) {
  const row = await findDelivery(ctx, 'webhooks:deliveries:show', id);
  const [attempts, [event]] = (await runBatch(ctx.db, [
    ctx.db
      .select()
      .from(webhookAttempts)
      .where(eq(webhookAttempts.deliveryId, id))
      .orderBy(asc(webhookAttempts.number)),
    ctx.db.select().from(events).where(eq(events.id, row.eventId)),
  ])) as [AttemptRow[], EventRow[]];
  return { row, attempts, payload: row.body ?? (event ? payloadOf(event) : null) };
}
