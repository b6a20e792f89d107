import type { events } from '../../db/schema/events.ts';
import { EVENT_TYPES } from '../../shared/event-types.ts';
import { iso } from '../http/times.ts';

export type EventRow = typeof events.$inferSelect;

/** An event as receivers and the API are told it. The same row makes the same bytes. */
export const eventView = (row: EventRow) => ({
  type: row.type,
  timestamp: iso(row.atMs),
  data: row.data,
  region: row.region,
  project_id: row.projectId,
  resource_id: row.resourceId,
  /** Counts the events of the resource: by it their order is found again. */
  version: row.version,
  schema_version: (EVENT_TYPES as Record<string, { version: number } | undefined>)[row.type]?.version ?? 1,
});

/** What is sent and signed of an event. */
export const payloadOf = (row: EventRow): string => JSON.stringify(eventView(row));
