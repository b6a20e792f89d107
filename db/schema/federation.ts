import { sql } from 'drizzle-orm';
import { foreignKey, index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { domains, users } from './identity.ts';

/** How to speak OpenID Connect with an identity provider; the secret is kept apart, sealed. */
export interface OidcSettings {
  issuer: string;
  /** Where its metadata are, when not at the issuer's well-known place. */
  discoveryUrl?: string;
  clientId: string;
  /** What a token may name as its audience besides the client. */
  audiences: string[];
  /** What a log-in by browser asks for. */
  scope: string;
  /** Who says what an opaque access token is worth. */
  opaqueTokens: 'introspection' | 'userinfo';
}

export const identityProviders = sqliteTable(
  'identity_providers',
  {
    /** The operator's own word for it. */
    id: text().primaryKey(),
    /** Where its users live. */
    domainId: text()
      .notNull()
      .references(() => domains.id, { onDelete: 'cascade' }),
    enabled: integer({ mode: 'boolean' }).notNull().default(false),
    description: text(),
    /** How long group memberships outlive the log-in that gave them, in minutes. */
    authorizationTtl: integer(),
    /** Null while nobody can log in by it. */
    oidc: text({ mode: 'json' }).$type<OidcSettings>(),
    /** A compact JWE; null for a public client. */
    clientSecretSealed: text(),
  },
  (t) => [index('identity_providers_domain').on(t.domainId)],
);

export const identityProviderRemoteIds = sqliteTable(
  'identity_provider_remote_ids',
  {
    /** What a provider calls itself: for OpenID Connect its issuer. */
    remoteId: text().primaryKey(),
    idpId: text()
      .notNull()
      .references(() => identityProviders.id, { onDelete: 'cascade' }),
  },
  (t) => [index('identity_provider_remote_ids_idp').on(t.idpId)],
);

export const federationProtocols = sqliteTable(
  'federation_protocols',
  {
    idpId: text()
      .notNull()
      .references(() => identityProviders.id, { onDelete: 'cascade' }),
    id: text().notNull(),
    /** Not a foreign key: as in Keystone a mapping may go, and log-ins then find none. */
    mappingId: text().notNull(),
    remoteIdAttribute: text(),
  },
  (t) => [primaryKey({ columns: [t.idpId, t.id] })],
);

export const federationMappings = sqliteTable('federation_mappings', {
  id: text().primaryKey(),
  /** As the operator wrote them; `parseRules` reads them. */
  rules: text({ mode: 'json' }).$type<unknown[]>().notNull(),
  schemaVersion: text().notNull().default('1.0'),
});

export const serviceProviders = sqliteTable('service_providers', {
  id: text().primaryKey(),
  authUrl: text().notNull(),
  spUrl: text().notNull(),
  description: text(),
  enabled: integer({ mode: 'boolean' }).notNull().default(false),
  relayStatePrefix: text().notNull().default(sql`'ss:mem:'`),
});

/** Who a user is at an identity provider. */
export const federatedUsers = sqliteTable(
  'federated_users',
  {
    idpId: text().notNull(),
    protocolId: text().notNull(),
    /** What the mapping makes of the claims; never changes for a person. */
    uniqueId: text().notNull(),
    userId: text()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
  },
  (t) => [
    primaryKey({ columns: [t.idpId, t.protocolId, t.uniqueId] }),
    foreignKey({
      columns: [t.idpId, t.protocolId],
      foreignColumns: [federationProtocols.idpId, federationProtocols.id],
    }).onDelete('cascade'),
    index('federated_users_user').on(t.userId),
  ],
);
