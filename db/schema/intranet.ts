import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

/** Whether a region's intranet filter is on; a region without a row has it on, for the prefixes it has. */
export const intranetFilters = sqliteTable('intranet_filters', {
  region: text().primaryKey(),
  enabled: integer({ mode: 'boolean' }).notNull(),
  /** Counts what would be dropped, and lets it through. */
  dryRun: integer({ mode: 'boolean' }).notNull(),
  updatedBy: text().notNull(),
  updatedAtMs: integer().notNull(),
});

/** What guests must not reach. */
export const intranetPrefixes = sqliteTable(
  'intranet_prefixes',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    /** In its usual form, so that one range is one text. */
    prefix: text().notNull(),
    ipVersion: integer().notNull(),
    description: text().notNull().default(''),
    reason: text().notNull(),
    createdBy: text().notNull(),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [uniqueIndex('intranet_prefixes_prefix').on(t.region, t.prefix)],
);

/** Who may reach some of it all the same. */
export const intranetRules = sqliteTable(
  'intranet_rules',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    sourceType: text({ enum: ['project', 'network', 'security_group', 'server', 'port'] }).notNull(),
    sourceId: text().notNull(),
    destination: text().notNull(),
    /** IP protocol number; null for any. */
    protocol: integer(),
    portRangeMin: integer(),
    portRangeMax: integer(),
    /** All of the above as one text: a rule is there once. */
    content: text().notNull(),
    description: text().notNull().default(''),
    reason: text().notNull(),
    /** Null: for good. */
    expiresAtMs: integer(),
    /** When it was taken from the machines, after its end. */
    endedAtMs: integer(),
    createdBy: text().notNull(),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [
    uniqueIndex('intranet_rules_content').on(t.region, t.content),
    index('intranet_rules_expiry').on(t.region, t.expiresAtMs),
  ],
);
