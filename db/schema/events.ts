import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

/**
 * What happened, told by the transaction in which it did: webhooks are sent from here, and only from here. Triggers write
 * most of it, number it, and give each endpoint that wants it a delivery (migration `webhooks_triggers`).
 */
export const events = sqliteTable(
  'events',
  {
    /** In the order of their transactions. */
    sequence: integer().primaryKey({ autoIncrement: true }),
    /** `evt_` and a uuid without dashes: a webhook's id. Inserted empty it is made by a trigger. */
    id: text().notNull().unique(),
    region: text().notNull(),
    /** Whose it is; null for what is the operator's alone. */
    projectId: text(),
    /** As in `shared/event-types.ts`: `server.created`, `billing.invoice.finalized`. */
    type: text().notNull(),
    resourceId: text().notNull(),
    /** Rises by one with each event of a resource: a trigger sets it, whatever is inserted. */
    version: integer().notNull(),
    atMs: integer().notNull(),
    data: text({ mode: 'json' }).$type<Record<string, unknown>>().notNull(),
  },
  (t) => [
    index('events_project').on(t.projectId, t.sequence),
    // With the row's number behind it, as every index: all of a region in their order.
    index('events_region').on(t.region),
    // What an endpoint missed in a range of time.
    index('events_missed').on(t.region, t.projectId, t.atMs),
    index('events_age').on(t.region, t.atMs),
    uniqueIndex('events_resource').on(t.resourceId, t.version),
  ],
);

/** The last version of each resource that had an event: it outlives the events themselves. */
export const eventVersions = sqliteTable('event_versions', {
  resourceId: text().primaryKey(),
  version: integer().notNull(),
  /** The last event said that the resource is gone: nothing more will come of it. */
  ended: integer({ mode: 'boolean' }).notNull(),
});
