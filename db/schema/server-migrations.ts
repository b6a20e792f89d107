import { sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import type { FlavorSnapshot } from './compute.ts';

/** What a server takes of a machine. */
export interface MachineShare {
  vcpus: number;
  memoryMib: number;
  diskGib: number;
}

/** Nova's kinds of migrations; `resize` may stay on its machine. */
export const MIGRATION_TYPES = ['live-migration', 'migration', 'resize', 'evacuation'] as const;

/**
 * Where a move stands (docs/protocol.md, Moves). `preparing`: the target makes ready; `moving`: the source sends; `starting`:
 * the target has it and is to say how it is; `held`: the old copy is kept until the move is confirmed or reverted; `ending`:
 * the losing machine lets go of its copy; `ended`.
 */
export const MIGRATION_PHASES = ['preparing', 'moving', 'starting', 'held', 'ending', 'ended'] as const;

/** Moves of servers between machines, and between sizes: one that is not ending or ended a server at most. */
export const serverMigrations = sqliteTable(
  'server_migrations',
  {
    uuid: text().primaryKey(),
    region: text().notNull(),
    /** Nova's id: in order of creation in the region. */
    number: integer().notNull(),
    serverId: text().notNull(),
    /** Who asked for it. */
    userId: text().notNull(),
    projectId: text().notNull(),
    requestId: text().notNull(),
    type: text({ enum: MIGRATION_TYPES }).notNull(),
    /** Nova's word for where it stands. */
    status: text().notNull(),
    phase: text({ enum: MIGRATION_PHASES }).notNull(),
    sourceRunnerId: text().notNull(),
    targetRunnerId: text().notNull(),
    /** Names as they were: a machine may be removed later. */
    sourceHost: text().notNull(),
    targetHost: text().notNull(),
    /** The server's epoch on the target; what comes after a move that is called off or reverted is above it. */
    epoch: integer().notNull(),
    oldFlavor: text({ mode: 'json' }).$type<FlavorSnapshot>().notNull(),
    newFlavor: text({ mode: 'json' }).$type<FlavorSnapshot>().notNull(),
    /** What the server takes of a machine before and after. */
    oldClaim: text({ mode: 'json' }).$type<MachineShare>().notNull(),
    newClaim: text({ mode: 'json' }).$type<MachineShare>().notNull(),
    /** The claim that is held beyond the server's own: the new one before the server has moved, the old one after. */
    held: text({ enum: ['old', 'new'] }),
    /** The machine that it is held of. */
    heldRunnerId: text(),
    /** The operation by which the source sends. */
    opId: text(),
    /** It is called off when this passes, while it prepares, moves or starts. */
    deadlineMs: integer().notNull(),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [
    uniqueIndex('server_migrations_number').on(t.region, t.number),
    uniqueIndex('server_migrations_open').on(t.serverId).where(sql`phase NOT IN ('ending', 'ended')`),
    index('server_migrations_server').on(t.serverId),
    index('server_migrations_region').on(t.region, t.updatedAtMs),
    index('server_migrations_held').on(t.heldRunnerId).where(sql`held_runner_id IS NOT NULL`),
  ],
);
