import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Servers that belong together, and how their hosts are chosen. */
export const serverGroups = sqliteTable(
  'server_groups',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    projectId: text().notNull(),
    userId: text().notNull(),
    /** In order of creation, for stable paging. */
    number: integer().notNull(),
    name: text().notNull(),
    policy: text({ enum: ['affinity', 'anti-affinity', 'soft-affinity', 'soft-anti-affinity'] }).notNull(),
    /** The one rule that `anti-affinity` knows. */
    maxServerPerHost: integer(),
    createdAtMs: integer().notNull(),
  },
  (t) => [index('server_groups_project').on(t.region, t.projectId, t.number)],
);

/** A server is in one group at most. Rows outlive their server; whoever reads them looks whether it is deleted. */
export const serverGroupMembers = sqliteTable(
  'server_group_members',
  {
    serverId: text().primaryKey(),
    groupId: text()
      .notNull()
      .references(() => serverGroups.id, { onDelete: 'cascade' }),
  },
  (t) => [index('server_group_members_group').on(t.groupId)],
);
