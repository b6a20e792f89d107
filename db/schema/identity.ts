import { sql } from 'drizzle-orm';
import {
  type AnySQLiteColumn,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from 'drizzle-orm/sqlite-core';

/** The attributes a client added of its own. */
export const extra = () => text({ mode: 'json' }).$type<Record<string, unknown>>().notNull().default(sql`'{}'`);
/** Keystone's `options` of a resource (`immutable`, `lock_password`), and the client's own attributes. */
const common = () => ({
  options: text({ mode: 'json' }).$type<Record<string, unknown>>().notNull().default(sql`'{}'`),
  extra: extra(),
});
const tags = () => text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`);
const enabled = () => integer({ mode: 'boolean' }).notNull().default(true);

export const domains = sqliteTable('domains', {
  id: text().primaryKey(),
  name: text().notNull().unique(),
  description: text().default(''),
  enabled: enabled(),
  tags: tags(),
  ...common(),
});

export const projects = sqliteTable(
  'projects',
  {
    id: text().primaryKey(),
    domainId: text()
      .notNull()
      .references(() => domains.id),
    /** Null for a project right under its domain. */
    parentId: text().references((): AnySQLiteColumn => projects.id),
    name: text().notNull(),
    description: text().default(''),
    enabled: enabled(),
    tags: tags(),
    ...common(),
  },
  (t) => [uniqueIndex('projects_name').on(t.domainId, t.name), index('projects_parent').on(t.parentId)],
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
    enabled: enabled(),
    createdAtMs: integer().notNull(),
    /** Known by an identity provider alone: the name is for show, nobody is found by it to log in. */
    federated: integer({ mode: 'boolean' }).notNull().default(false),
    /** When the password stops being taken; null: never. */
    passwordExpiresAtMs: integer(),
    /** Wrong passwords since the last right one, and when the last of them came. */
    failedLogins: integer().notNull().default(0),
    failedAtMs: integer(),
    /** The last log-in, to the day; kept only where inactive users are to be disabled. */
    activeAtMs: integer(),
    ...common(),
  },
  (t) => [
    uniqueIndex('users_local_name').on(t.domainId, t.name).where(sql`federated = 0`),
    index('users_default_project').on(t.defaultProjectId),
    index('users_name').on(t.domainId, t.name),
  ],
);

export const roles = sqliteTable(
  'roles',
  {
    id: text().primaryKey(),
    /** Empty for a global role, as a unique index needs a value. */
    domainId: text().notNull().default(''),
    name: text().notNull(),
    description: text(),
    ...common(),
  },
  (t) => [uniqueIndex('roles_name').on(t.domainId, t.name)],
);

/** Which role comes with which. */
export const impliedRoles = sqliteTable(
  'implied_roles',
  {
    priorRoleId: text()
      .notNull()
      .references(() => roles.id, { onDelete: 'cascade' }),
    impliedRoleId: text()
      .notNull()
      .references(() => roles.id, { onDelete: 'cascade' }),
  },
  (t) => [
    primaryKey({ columns: [t.priorRoleId, t.impliedRoleId] }),
    index('implied_roles_implied').on(t.impliedRoleId),
  ],
);

export const groups = sqliteTable(
  'groups',
  {
    id: text().primaryKey(),
    domainId: text()
      .notNull()
      .references(() => domains.id),
    name: text().notNull(),
    description: text(),
    extra: extra(),
  },
  (t) => [uniqueIndex('groups_name').on(t.domainId, t.name)],
);

export const groupMembers = sqliteTable(
  'group_members',
  {
    groupId: text()
      .notNull()
      .references(() => groups.id, { onDelete: 'cascade' }),
    userId: text()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** When a membership that an identity provider gave ends; null: it lasts. */
    expiresAtMs: integer(),
    /** That identity provider. */
    idpId: text(),
  },
  (t) => [primaryKey({ columns: [t.groupId, t.userId] }), index('group_members_user').on(t.userId)],
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
    /** Holds on the projects below the target instead of on the target. */
    inherited: integer({ mode: 'boolean' }).notNull().default(false),
  },
  (t) => [
    primaryKey({ columns: [t.actorType, t.actorId, t.targetType, t.targetId, t.roleId, t.inherited] }),
    index('assignments_target').on(t.targetType, t.targetId),
    index('assignments_role').on(t.roleId),
  ],
);

/** Tokens are signed, so only what ends them early is kept: each row until every token it covers has expired. */
export const revocations = sqliteTable(
  'revocations',
  {
    /** Rises with each revocation. A token carries the highest one it was issued under: only later ones end it. */
    seq: integer().primaryKey({ autoIncrement: true }),
    /**
     * What is revoked: one token by its audit id, or every token of a user, of a scope, with a role, by a log-in
     * elsewhere, or by what was delegated. `catalog` ends nothing: it tells every isolate that the catalog changed.
     */
    kind: text({
      enum: [
        'audit',
        'user',
        'project',
        'domain',
        'role',
        'assignment',
        'federation',
        'application-credential',
        'trust',
        'catalog',
      ],
    }).notNull(),
    /** The id; for an assignment `<user>/<target type>/<target>`, for a federation `<identity provider>[/<protocol>]`. */
    subject: text().notNull(),
    createdAtMs: integer().notNull(),
    expiresAtMs: integer().notNull(),
  },
  (t) => [index('revocations_expires').on(t.expiresAtMs)],
);

/** Passwords that a user had, so that they are not taken again: written only where a history is kept. */
export const passwordHistory = sqliteTable(
  'password_history',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    userId: text()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    passwordHash: text().notNull(),
    createdAtMs: integer().notNull(),
  },
  (t) => [index('password_history_user').on(t.userId)],
);
