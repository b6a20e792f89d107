import { sql } from 'drizzle-orm';
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

/** Where somebody wants to be told of events. */
export const webhookEndpoints = sqliteTable(
  'webhook_endpoints',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    /** Whose events it is told; null: an operator's, told of all the region's. */
    projectId: text(),
    url: text().notNull(),
    description: text().notNull().default(''),
    /** Types, `server.*` for all below, `*` for all. Nothing else that GLOB knows may stand in them. */
    events: text({ mode: 'json' }).$type<string[]>().notNull(),
    enabled: integer({ mode: 'boolean' }).notNull().default(true),
    /** Why it is not: somebody said so, it answered 410, or it failed for days. */
    disabledReason: text({ enum: ['asked', 'gone', 'failing'] }),
    disabledAtMs: integer(),
    /** Since when no attempt succeeded; null after one that did. */
    failingSinceMs: integer(),
    /** It asked for rest: nothing is sent before. */
    pausedUntilMs: integer(),
    /** When something is to be sent to it next; kept by triggers. */
    dueAtMs: integer(),
    /** Rises when it is disabled, by a trigger: what waits from a life before is given up, a part a round. */
    life: integer().notNull().default(0),
    /** Since when a round has something of it to clear away. */
    clearingSinceMs: integer(),
    /** It is gone for everybody; its row stays until its deliveries are cleared away. */
    deletedAtMs: integer(),
    createdBy: text().notNull(),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [
    // A create that is sent twice makes one.
    uniqueIndex('webhook_endpoints_url')
      .on(t.region, t.projectId, t.url)
      .where(sql`project_id IS NOT NULL AND deleted_at_ms IS NULL`),
    uniqueIndex('webhook_endpoints_region_url')
      .on(t.region, t.url)
      .where(sql`project_id IS NULL AND deleted_at_ms IS NULL`),
    index('webhook_endpoints_due').on(t.region, t.dueAtMs).where(sql`due_at_ms IS NOT NULL`),
    index('webhook_endpoints_clearing').on(t.region).where(sql`clearing_since_ms IS NOT NULL`),
  ],
);

/** What deliveries to an endpoint are signed with: the newest, and older ones until they expire. */
export const webhookSecrets = sqliteTable(
  'webhook_secrets',
  {
    id: text().primaryKey(),
    endpointId: text()
      .notNull()
      .references(() => webhookEndpoints.id, { onDelete: 'cascade' }),
    type: text({ enum: ['hmac', 'ed25519'] }).notNull(),
    /** `whsec_...` or `whsk_...`, sealed for its endpoint. */
    sealed: text().notNull(),
    /** `whpk_...`; null of a shared secret. */
    publicKey: text(),
    createdAtMs: integer().notNull(),
    /** Null for the current one. */
    expiresAtMs: integer(),
  },
  (t) => [
    index('webhook_secrets_endpoint').on(t.endpointId),
    index('webhook_secrets_expiry').on(t.expiresAtMs).where(sql`expires_at_ms IS NOT NULL`),
  ],
);

/** An event on its way to an endpoint: made by a trigger in the transaction of the event. */
export const webhookDeliveries = sqliteTable(
  'webhook_deliveries',
  {
    id: text().primaryKey(),
    endpointId: text()
      .notNull()
      .references(() => webhookEndpoints.id, { onDelete: 'cascade' }),
    eventId: text().notNull(),
    eventSequence: integer().notNull(),
    type: text().notNull(),
    /** `failed` is given up: `reason` says why. */
    status: text({ enum: ['pending', 'delivered', 'failed'] }).notNull(),
    /** Failed attempts of this climb of the ladder; a replay begins a new one. */
    tries: integer().notNull().default(0),
    /** Attempts in all. */
    attempts: integer().notNull().default(0),
    /** The endpoint's when it was made, or last replayed: it is sent in that life alone. */
    life: integer().notNull().default(0),
    /** When it is tried next; while it is being sent, when another may take it over. */
    nextAttemptMs: integer(),
    /** Who is sending it. */
    claim: text(),
    /** The payload, byte by byte as it was sent first; null before. */
    body: text(),
    /** The last answer's status; null where there was none. */
    lastStatus: integer(),
    reason: text(),
    /** The replay that it was last part of. */
    replayId: text(),
    createdAtMs: integer().notNull(),
    finishedAtMs: integer(),
  },
  (t) => [
    uniqueIndex('webhook_deliveries_event').on(t.endpointId, t.eventId),
    index('webhook_deliveries_sequence').on(t.endpointId, t.eventSequence),
    index('webhook_deliveries_due')
      .on(t.endpointId, t.life, t.nextAttemptMs, t.eventSequence)
      .where(sql`status = 'pending'`),
    // Few rows of very many, that are looked for with each sending.
    index('webhook_deliveries_claimed').on(t.endpointId, t.claim).where(sql`claim IS NOT NULL`),
    index('webhook_deliveries_tests').on(t.endpointId).where(sql`status = 'pending' AND type = 'webhook.test'`),
    index('webhook_deliveries_over').on(t.endpointId, t.status, t.createdAtMs),
    index('webhook_deliveries_pending').on(t.eventId).where(sql`status = 'pending'`),
    index('webhook_deliveries_finished').on(t.finishedAtMs).where(sql`finished_at_ms IS NOT NULL`),
  ],
);

/** One try to deliver, and what came of it. */
export const webhookAttempts = sqliteTable(
  'webhook_attempts',
  {
    deliveryId: text()
      .notNull()
      .references(() => webhookDeliveries.id, { onDelete: 'cascade' }),
    number: integer().notNull(),
    atMs: integer().notNull(),
    durationMs: integer().notNull(),
    /** Of the answer; null where none came, and then `error` says why. */
    status: integer(),
    error: text(),
    /** The first bytes of the answer. */
    answer: text().notNull().default(''),
  },
  (t) => [primaryKey({ columns: [t.deliveryId, t.number] })],
);
