import { sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

export const qosPolicies = sqliteTable(
  'qos_policies',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    projectId: text().notNull(),
    name: text().notNull(),
    description: text().notNull().default(''),
    /** What the project's new networks get that name none. */
    isDefault: integer({ mode: 'boolean' }).notNull().default(false),
    tags: text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
    revision: integer().notNull().default(0),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [
    index('qos_policies_project').on(t.projectId),
    uniqueIndex('qos_policies_default').on(t.region, t.projectId).where(sql`is_default = 1`),
  ],
);

export const qosRules = sqliteTable(
  'qos_rules',
  {
    id: text().primaryKey(),
    policyId: text()
      .notNull()
      .references(() => qosPolicies.id, { onDelete: 'cascade' }),
    type: text({ enum: ['bandwidth_limit', 'dscp_marking'] }).notNull(),
    /** As the guest sees it; marks are of what it sends. */
    direction: text({ enum: ['egress', 'ingress'] })
      .notNull()
      .default('egress'),
    maxKbps: integer(),
    /** 0: as much as the host finds right for the rate. */
    maxBurstKbits: integer(),
    dscpMark: integer(),
  },
  (t) => [uniqueIndex('qos_rules_once').on(t.policyId, t.type, t.direction)],
);
