import { primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Limits by the name of what they limit, as Nova names it; -1 is none. */
export type QuotaLimits = Record<string, number>;

/** Limits that an operator set for a project, or for one user within it. */
export const quotas = sqliteTable(
  'quotas',
  {
    region: text().notNull(),
    projectId: text().notNull(),
    /** Empty for the whole project. */
    userId: text().notNull().default(''),
    limits: text({ mode: 'json' }).$type<QuotaLimits>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.region, t.projectId, t.userId] })],
);

/** Limits by class; the class `default` holds for every project that has none of its own. */
export const quotaClasses = sqliteTable(
  'quota_classes',
  {
    region: text().notNull(),
    name: text().notNull(),
    limits: text({ mode: 'json' }).$type<QuotaLimits>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.region, t.name] })],
);
