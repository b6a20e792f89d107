import { sql } from 'drizzle-orm';
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { runners } from './fleet.ts';

/** Machines that an operator groups, with what the scheduler should know of them. */
export const aggregates = sqliteTable(
  'aggregates',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    uuid: text().notNull(),
    region: text().notNull(),
    name: text().notNull(),
    /** `availability_zone` among it makes the group a zone. */
    metadata: text({ mode: 'json' }).$type<Record<string, string>>().notNull().default(sql`'{}'`),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer(),
  },
  (t) => [uniqueIndex('aggregates_name').on(t.region, t.name)],
);

export const aggregateHosts = sqliteTable(
  'aggregate_hosts',
  {
    aggregateId: integer()
      .notNull()
      .references(() => aggregates.id, { onDelete: 'cascade' }),
    runnerId: text()
      .notNull()
      .references(() => runners.id, { onDelete: 'cascade' }),
    addedAtMs: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.aggregateId, t.runnerId] }), index('aggregate_hosts_runner').on(t.runnerId)],
);
