import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** A named list of ranges that rules of security groups refer to. */
export const addressGroups = sqliteTable(
  'address_groups',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    projectId: text().notNull(),
    name: text().notNull().default(''),
    description: text().notNull().default(''),
    addresses: text({ mode: 'json' }).$type<string[]>().notNull(),
    revision: integer().notNull().default(0),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [index('address_groups_project').on(t.projectId)],
);
