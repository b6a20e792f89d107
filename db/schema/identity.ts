import { sql } from 'drizzle-orm';
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

export const domains = sqliteTable('domains', {
  id: text().primaryKey(),
  name: text().notNull().unique(),
  description: text().notNull().default(''),
  enabled: integer({ mode: 'boolean' }).notNull().default(true),
});

export const projects = sqliteTable(
  'projects',
  {
    id: text().primaryKey(),
    domainId: text()
      .notNull()
      .references(() => domains.id),
    parentId: text(),
    name: text().notNull(),
    description: text().notNull().default(''),
    enabled: integer({ mode: 'boolean' }).notNull().default(true),
    tags: text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
  },
  (t) => [uniqueIndex('projects_name').on(t.domainId, t.name)],
);

export const users = sqliteTable(
  'users',
  {
    id: text().primaryKey(),
    domainId: text()
      .notNull()
      .references(() => domains.id),
    name: text().notNull(),
    /** `scrypt$N$r$p$salt$hash`, base64; null: no password. */
    passwordHash: text(),
    passwordChangedAtMs: integer(),
    email: text(),
    description: text(),
    defaultProjectId: text(),
    enabled: integer({ mode: 'boolean' }).notNull().default(true),
    createdAtMs: integer().notNull(),
  },
  (t) => [uniqueIndex('users_name').on(t.domainId, t.name)],
);

export const roles = sqliteTable(
  'roles',
  {
    id: text().primaryKey(),
    /** Empty for a global role, as a unique index needs a value. */
    domainId: text().notNull().default(''),
    name: text().notNull(),
    description: text(),
  },
  (t) => [uniqueIndex('roles_name').on(t.domainId, t.name)],
);

export const assignments = sqliteTable(
  'assignments',
  {
    actorType: text({ enum: ['user', 'group'] }).notNull(),
    actorId: text().notNull(),
    targetType: text({ enum: ['project', 'domain', 'system'] }).notNull(),
    /** `all` for the system. */
    targetId: text().notNull(),
    roleId: text()
      .notNull()
      .references(() => roles.id, { onDelete: 'cascade' }),
    inherited: integer({ mode: 'boolean' }).notNull().default(false),
  },
  (t) => [
    primaryKey({ columns: [t.actorType, t.actorId, t.targetType, t.targetId, t.roleId, t.inherited] }),
    index('assignments_target').on(t.targetType, t.targetId),
  ],
);

/** Tokens are signed, so only what ends them early is kept: each row until every token it covers has expired. */
export const revocations = sqliteTable(
  'revocations',
  {
    id: text().primaryKey(),
    /** What is revoked: one token by audit id, or all tokens of a user, project or domain issued until then. */
    kind: text({ enum: ['audit', 'user', 'project', 'domain', 'assignment'] }).notNull(),
    subject: text().notNull(),
    issuedBeforeMs: integer().notNull(),
    createdAtMs: integer().notNull(),
    expiresAtMs: integer().notNull(),
  },
  (t) => [index('revocations_created').on(t.createdAtMs)],
);
