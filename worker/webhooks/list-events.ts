import { eq, sql } from 'drizzle-orm';
import { events } from '../../db/schema/events.ts';
import type { ActorContext } from '../http/context.ts';
import { authorize } from '../http/policy.ts';
import { byText } from '../network/api/filters.ts';
import type { Listing, ListQuery } from '../network/api/listing.ts';
import { ownOf } from './endpoints.ts';
import { type EventRow, eventView } from './payload.ts';
import { policy } from './policy.ts';

/** Events in the order of their transactions. */
export const eventListing: Listing = {
  table: 'events',
  filters: {
    id: byText(events.id),
    type: byText(events.type),
    resource_id: byText(events.resourceId),
    project_id: byText(events.projectId),
  },
  sortKeys: { id: sql`events.sequence` },
};

/** A page of the events that the actor's project was or could have been told. */
export function listEvents(ctx: ActorContext, query: ListQuery): Promise<EventRow[]> {
  authorize(ctx, policy, 'webhooks:events:list');
  return ctx.db
    .select()
    .from(events)
    .where(sql`${eq(events.region, ctx.region)} AND ${ownOf(ctx, sql`events.project_id`)} AND ${query.where ?? sql`1`}`)
    .orderBy(...query.orderBy)
    .limit(query.limit);
}

export const listedEventView = (row: EventRow) => ({ id: row.id, ...eventView(row) });
