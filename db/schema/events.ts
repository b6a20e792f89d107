import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** What happened, told by the transaction in which it did: webhooks are sent from here, and only from here. */
export const events = sqliteTable(
  'events',
  {
    /** In the order of their transactions. */
    sequence: integer().primaryKey({ autoIncrement: true }),
    /** `evt_` and a uuid without dashes: a webhook's id. */
    id: text().notNull().unique(),
    region: text().notNull(),
    /** Whose it is; null for what is the operator's alone. */
    projectId: text(),
    /** As in `shared/event-types.ts`: `server.created`, `invoice.finalized`. */
    type: text().notNull(),
    resourceId: text().notNull(),
    /** Rises with each event of a resource. */
    version: integer().notNull(),
    atMs: integer().notNull(),
    data: text({ mode: 'json' }).$type<Record<string, unknown>>().notNull(),
  },
  (t) => [index('events_project').on(t.projectId, t.sequence), index('events_resource').on(t.resourceId, t.version)],
);
