import { primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Limits of networking that an operator set for a project, by the name of what they limit, as Neutron names it; -1 is none. */
export const networkQuotas = sqliteTable(
  'network_quotas',
  {
    region: text().notNull(),
    projectId: text().notNull(),
    limits: text({ mode: 'json' }).$type<Record<string, number>>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.region, t.projectId] })],
);
