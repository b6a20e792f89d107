import { sql } from 'drizzle-orm';
import { check, index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

export const joinTokens = sqliteTable('join_tokens', {
  id: text().primaryKey(),
  region: text().notNull(),
  /** SHA-256 of the token; the token itself is shown once. */
  tokenHash: text().notNull().unique(),
  zone: text().notNull(),
  createdBy: text().notNull(),
  createdAtMs: integer().notNull(),
  expiresAtMs: integer().notNull(),
  usedAtMs: integer(),
  usedByRunnerId: text(),
});

export const runners = sqliteTable(
  'runners',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    /** The hypervisor's hostname; unique in its region among runners not removed. */
    name: text().notNull(),
    zone: text().notNull(),
    /** The zone that it joined, while an aggregate says another. */
    homeZone: text(),
    /** Ed25519, raw, base64url. */
    publicKey: text().notNull(),
    /** The machine that enrolled: the key is good on no other. */
    machineId: text().notNull(),
    bootId: text(),
    /** What the operator wants. */
    state: text({ enum: ['enabled', 'draining', 'disabled', 'removed'] }).notNull(),
    stateReason: text(),
    /** An operator says that the machine is dead, whatever it says itself. */
    forcedDown: integer({ mode: 'boolean' }).notNull().default(false),
    /** Rises with each session; messages of an older one are dropped. */
    epoch: integer().notNull().default(0),
    /** Rises with each change of its desired state. */
    generation: integer().notNull().default(0),
    connected: integer({ mode: 'boolean' }).notNull().default(false),
    lastSeenAtMs: integer(),
    leaseExpiresAtMs: integer(),
    version: text(),
    hypervisor: text(),
    capabilities: text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
    /** Where other machines' VXLAN packets reach it; null where it has no such address. */
    tunnelIp: text(),
    /** Names of networks of cables that it is on. */
    physicalNetworks: text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
    vcpus: integer().notNull().default(0),
    memoryMib: integer().notNull().default(0),
    diskGib: integer().notNull().default(0),
    /** What placements may hand out: capacity by the ratios, less what the host keeps. */
    vcpusAllocatable: integer().notNull().default(0),
    memoryMibAllocatable: integer().notNull().default(0),
    diskGibAllocatable: integer().notNull().default(0),
    /** What its aggregates say instead of the usual ratios (see worker/fleet/capacity.ts). */
    vcpuRatio: real(),
    memoryRatio: real(),
    diskRatio: real(),
    vcpusClaimed: integer().notNull().default(0),
    memoryMibClaimed: integer().notNull().default(0),
    diskGibClaimed: integer().notNull().default(0),
    guests: integer().notNull().default(0),
    /** Things on the machine that the database does not know, as last reported. */
    unknownObjects: text({ mode: 'json' })
      .$type<{ kind: string; id: string; sinceMs: number }[]>()
      .notNull()
      .default(sql`'[]'`),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [
    uniqueIndex('runners_name').on(t.region, t.name).where(sql`state <> 'removed'`),
    check('runner_claims_not_negative', sql`vcpus_claimed >= 0 AND memory_mib_claimed >= 0 AND disk_gib_claimed >= 0`),
  ],
);

/** What each runner should hold: written in the batch of the change that wants it, read by generation. */
export const desired = sqliteTable(
  'desired',
  {
    runnerId: text()
      .notNull()
      .references(() => runners.id),
    kind: text().notNull(),
    id: text().notNull(),
    /** The runner's generation at which this object last changed. */
    generation: integer().notNull(),
    /** JSON; null in a tombstone. The digest is computed as it is sent, so that SQL alone can write a spec. */
    spec: text({ mode: 'json' }).$type<unknown>(),
    /** A tombstone: stays until the runner reports the object absent. */
    deleted: integer({ mode: 'boolean' }).notNull().default(false),
    /** The generation at which the runner last reported it in force; null where it reported otherwise since. */
    appliedGeneration: integer(),
  },
  (t) => [
    primaryKey({ columns: [t.runnerId, t.kind, t.id] }),
    index('desired_generation').on(t.runnerId, t.generation),
    index('desired_object').on(t.kind, t.id),
    index('desired_pending').on(t.runnerId).where(sql`deleted = 1 OR applied_generation IS NOT generation`),
  ],
);

/** What cannot be a state: stored before any side effect, kept for a while after its end. */
export const operations = sqliteTable(
  'operations',
  {
    opId: text().primaryKey(),
    region: text().notNull(),
    runnerId: text()
      .notNull()
      .references(() => runners.id),
    kind: text().notNull(),
    targetKind: text().notNull(),
    targetId: text().notNull(),
    targetEpoch: integer().notNull(),
    requestId: text().notNull(),
    state: text({ enum: ['queued', 'accepted', 'done', 'failed'] }).notNull(),
    attempt: integer().notNull().default(0),
    args: text({ mode: 'json' }).$type<Record<string, unknown>>().notNull(),
    result: text({ mode: 'json' }).$type<Record<string, unknown>>(),
    fault: text({ mode: 'json' }).$type<{ code: number; message: string; details?: string | undefined }>(),
    deadlineMs: integer().notNull(),
    createdAtMs: integer().notNull(),
    finishedAtMs: integer(),
  },
  (t) => [
    index('operations_open').on(t.runnerId).where(sql`state IN ('queued', 'accepted')`),
    index('operations_target').on(t.targetKind, t.targetId),
  ],
);
