import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Who did what to what: one row a mutating call, in the batch of the mutation. */
export const audit = sqliteTable(
  'audit',
  {
    id: text().primaryKey(),
    atMs: integer().notNull(),
    region: text().notNull(),
    requestId: text().notNull(),
    actorType: text({ enum: ['user', 'runner', 'system'] }).notNull(),
    actorId: text().notNull(),
    projectId: text(),
    action: text().notNull(),
    targetType: text().notNull(),
    targetId: text().notNull(),
    /** Never a secret. */
    detail: text({ mode: 'json' }).$type<Record<string, unknown>>(),
  },
  (t) => [
    index('audit_target').on(t.targetType, t.targetId),
    index('audit_project').on(t.projectId, t.atMs),
    index('audit_request').on(t.requestId),
  ],
);
