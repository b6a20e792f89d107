import { sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { extra, projects, users } from './identity.ts';

const ids = () => text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`);
const userId = () =>
  text()
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' });

/** One call that an application credential may be limited to. */
export const accessRules = sqliteTable(
  'access_rules',
  {
    id: text().primaryKey(),
    userId: userId(),
    service: text().notNull(),
    method: text().notNull(),
    path: text().notNull(),
  },
  (t) => [uniqueIndex('access_rules_call').on(t.userId, t.service, t.method, t.path)],
);

/** A secret by which a program acts as a user on one project. */
export const applicationCredentials = sqliteTable(
  'application_credentials',
  {
    id: text().primaryKey(),
    userId: userId(),
    projectId: text()
      .notNull()
      .references(() => projects.id, { onDelete: 'cascade' }),
    name: text().notNull(),
    description: text(),
    /** As a user's password. */
    secretHash: text().notNull(),
    /** And the microseconds beyond, as clients expect to read again what they wrote. */
    expiresAtMs: integer(),
    expiresMicros: integer().notNull().default(0),
    /** May manage other credentials. */
    unrestricted: integer({ mode: 'boolean' }).notNull().default(false),
    roleIds: ids(),
    /** Null: every call. */
    accessRuleIds: text({ mode: 'json' }).$type<string[]>(),
  },
  (t) => [
    uniqueIndex('application_credentials_name').on(t.userId, t.name),
    index('application_credentials_project').on(t.projectId),
  ],
);

/** What a user (trustor) lets another (trustee) do on a project. */
export const trusts = sqliteTable(
  'trusts',
  {
    id: text().primaryKey(),
    trustorUserId: userId(),
    trusteeUserId: userId(),
    projectId: text().references(() => projects.id, { onDelete: 'cascade' }),
    impersonation: integer({ mode: 'boolean' }).notNull(),
    expiresAtMs: integer(),
    /** Tokens that may still be had; null: any number. */
    remainingUses: integer(),
    /** The trust that this one was made with, and how many more may follow. */
    redelegatedTrustId: text(),
    redelegationCount: integer().notNull().default(0),
    roleIds: ids(),
    createdAtMs: integer().notNull(),
    extra: extra(),
  },
  (t) => [
    index('trusts_trustor').on(t.trustorUserId),
    index('trusts_trustee').on(t.trusteeUserId),
    index('trusts_project').on(t.projectId),
    index('trusts_redelegated').on(t.redelegatedTrustId),
  ],
);

/** Secrets that Keystone keeps for others: key pairs for EC2 and S3, seeds for one-time passwords, anything. */
export const credentials = sqliteTable(
  'credentials',
  {
    /** Of an EC2 key pair the SHA-256 of its access key. */
    id: text().primaryKey(),
    userId: text().notNull(),
    projectId: text(),
    type: text().notNull(),
    /** Sealed: the worker's key opens it. */
    blobSealed: text().notNull(),
    extra: extra(),
  },
  (t) => [index('credentials_user').on(t.userId, t.type), index('credentials_project').on(t.projectId)],
);

/** Programs that may ask users for a share in their rights by OAuth 1. */
export const oauthConsumers = sqliteTable('oauth_consumers', {
  id: text().primaryKey(),
  description: text(),
  secretSealed: text().notNull(),
  extra: extra(),
});
