import { sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { ports } from './network.ts';

/** A port whose guest is to tell several networks apart by 802.1Q ids. */
export const trunks = sqliteTable(
  'trunks',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    projectId: text().notNull(),
    name: text().notNull().default(''),
    description: text().notNull().default(''),
    portId: text()
      .notNull()
      .unique()
      .references(() => ports.id),
    adminStateUp: integer({ mode: 'boolean' }).notNull().default(true),
    tags: text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
    revision: integer().notNull().default(0),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [index('trunks_project').on(t.projectId)],
);

export const subports = sqliteTable(
  'subports',
  {
    portId: text()
      .primaryKey()
      .references(() => ports.id),
    trunkId: text()
      .notNull()
      .references(() => trunks.id, { onDelete: 'cascade' }),
    segmentationType: text({ enum: ['vlan'] }).notNull(),
    segmentationId: integer().notNull(),
  },
  (t) => [uniqueIndex('subports_segment').on(t.trunkId, t.segmentationType, t.segmentationId)],
);
