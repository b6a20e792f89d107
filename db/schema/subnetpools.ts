import { sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

/** Ranges within which no two subnets overlap: what routers may route between. */
export const addressScopes = sqliteTable(
  'address_scopes',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    projectId: text().notNull(),
    name: text().notNull(),
    ipVersion: integer().notNull(),
    createdAtMs: integer().notNull(),
  },
  (t) => [index('address_scopes_project').on(t.projectId)],
);

/** Ranges that subnets get their range from. */
export const subnetpools = sqliteTable(
  'subnetpools',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    projectId: text().notNull(),
    name: text().notNull(),
    description: text().notNull().default(''),
    ipVersion: integer().notNull(),
    prefixes: text({ mode: 'json' }).$type<string[]>().notNull(),
    defaultPrefixlen: integer().notNull(),
    minPrefixlen: integer().notNull(),
    maxPrefixlen: integer().notNull(),
    /** What one project may take of it: addresses of IPv4, ranges of 64 bits of IPv6. */
    defaultQuota: integer(),
    isDefault: integer({ mode: 'boolean' }).notNull().default(false),
    addressScopeId: text().references(() => addressScopes.id),
    tags: text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
    /** Rises with each subnet that takes a range of it, so that two at once cannot take the same. */
    revision: integer().notNull().default(0),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [
    index('subnetpools_project').on(t.projectId),
    index('subnetpools_scope').on(t.addressScopeId),
    uniqueIndex('subnetpools_default').on(t.region, t.ipVersion).where(sql`is_default = 1`),
  ],
);
