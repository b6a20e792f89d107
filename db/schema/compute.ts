import { sql } from 'drizzle-orm';
import { foreignKey, index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

export const flavors = sqliteTable(
  'flavors',
  {
    /** The operator's choice (`1`, `m1.small`), so unique in its region alone. */
    id: text().notNull(),
    region: text().notNull(),
    name: text().notNull(),
    description: text(),
    vcpus: integer().notNull(),
    ramMib: integer().notNull(),
    diskGib: integer().notNull(),
    ephemeralGib: integer().notNull().default(0),
    swapMib: integer().notNull().default(0),
    rxtxFactor: real().notNull().default(1),
    isPublic: integer({ mode: 'boolean' }).notNull().default(true),
    extraSpecs: text({ mode: 'json' }).$type<Record<string, string>>().notNull().default(sql`'{}'`),
    createdAtMs: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.region, t.id] }), uniqueIndex('flavors_name').on(t.region, t.name)],
);

/** Projects that may use a flavor which is not public. */
export const flavorAccess = sqliteTable(
  'flavor_access',
  {
    region: text().notNull(),
    flavorId: text().notNull(),
    projectId: text().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.region, t.flavorId, t.projectId] }),
    foreignKey({ columns: [t.region, t.flavorId], foreignColumns: [flavors.region, flavors.id] }).onDelete('cascade'),
  ],
);

export const keypairs = sqliteTable(
  'keypairs',
  {
    region: text().notNull(),
    userId: text().notNull(),
    name: text().notNull(),
    type: text({ enum: ['ssh', 'x509'] })
      .notNull()
      .default('ssh'),
    publicKey: text().notNull(),
    fingerprint: text().notNull(),
    createdAtMs: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.region, t.userId, t.name] })],
);

/** The flavor as it was when the server was made; later edits do not change a running server. */
export interface FlavorSnapshot {
  id: string;
  name: string;
  vcpus: number;
  ramMib: number;
  diskGib: number;
  ephemeralGib: number;
  swapMib: number;
  extraSpecs: Record<string, string>;
}
export interface ServerFault {
  code: number;
  message: string;
  details?: string;
  createdAtMs: number;
}

/** Nova's states of a server at rest. */
export const VM_STATES = [
  ...(['building', 'active', 'paused', 'suspended', 'stopped', 'rescued', 'resized'] as const),
  ...(['shelved', 'shelved_offloaded', 'soft-delete', 'error', 'deleted'] as const),
] as const;

/** Nova's names of what is being done to a server; each has a deadline (worker/compute/servers/tasks.ts). */
export const TASK_STATES = [
  ...(['scheduling', 'spawning', 'deleting', 'soft-deleting', 'restoring'] as const),
  ...(['powering-off', 'powering-on', 'rebooting', 'rebooting_hard'] as const),
  ...(['pausing', 'unpausing', 'suspending', 'resuming', 'rescuing', 'unrescuing', 'updating_password'] as const),
  ...(['image_snapshot_pending', 'image_snapshot', 'image_pending_upload', 'image_uploading', 'image_backup'] as const),
  ...(['rebuilding', 'rebuild_block_device_mapping', 'rebuild_spawning'] as const),
  ...(['shelving', 'shelving_image_pending_upload', 'shelving_image_uploading', 'shelving_offloading'] as const),
  ...(['unshelving', 'migrating', 'resize_prep', 'resize_migrating', 'resize_migrated', 'resize_finish'] as const),
  ...(['resize_confirming', 'resize_reverting'] as const),
] as const;

export const servers = sqliteTable(
  'servers',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    projectId: text().notNull(),
    userId: text().notNull(),
    /** In order of creation in the region, for the instance-0000002a names of operators and for stable paging. */
    number: integer().notNull(),
    name: text().notNull(),
    hostname: text().notNull(),
    description: text(),
    flavor: text({ mode: 'json' }).$type<FlavorSnapshot>().notNull(),
    imageId: text().notNull(),
    keyName: text(),
    /** Null until placed and after the machine has let go of it. */
    runnerId: text(),
    /** Of a shelved server: the image of its disk, and what its host was told of it last. */
    shelvedImageId: text(),
    /** What the guest told of a password that it set, sealed for its owner's key by itself; and which telling this was. */
    guestPassword: text(),
    guestPasswordId: text(),
    shelvedSpec: text({ mode: 'json' }).$type<Record<string, unknown>>(),
    zone: text().notNull(),
    reservationId: text().notNull(),
    launchIndex: integer().notNull().default(0),
    vmState: text({ enum: VM_STATES }).notNull(),
    taskState: text({ enum: TASK_STATES }),
    /** A transient task state ends in ERROR when this passes. */
    taskDeadlineMs: integer(),
    /** Nova's power states: 0 no state, 1 running, 3 paused, 4 shutdown, 6 crashed, 7 suspended. */
    powerState: integer().notNull().default(0),
    progress: integer().notNull().default(0),
    epoch: integer().notNull().default(1),
    /** What the runner's claims hold for this server; zero before placement and once given back. */
    claimedVcpus: integer().notNull().default(0),
    claimedMemoryMib: integer().notNull().default(0),
    claimedDiskGib: integer().notNull().default(0),
    accessIpV4: text('access_ip_v4'),
    accessIpV6: text('access_ip_v6'),
    diskConfig: text({ enum: ['AUTO', 'MANUAL'] })
      .notNull()
      .default('MANUAL'),
    /** Who locked it: its owner may lift an owner's lock, an admin any. */
    lockedBy: text({ enum: ['owner', 'admin'] }),
    lockedReason: text(),
    configDrive: integer({ mode: 'boolean' }).notNull().default(false),
    userData: text(),
    metadata: text({ mode: 'json' }).$type<Record<string, string>>().notNull().default(sql`'{}'`),
    tags: text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
    fault: text({ mode: 'json' }).$type<ServerFault>(),
    launchedAtMs: integer(),
    terminatedAtMs: integer(),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
    deletedAtMs: integer(),
  },
  (t) => [
    uniqueIndex('servers_number').on(t.region, t.number),
    index('servers_project').on(t.region, t.projectId, t.deletedAtMs, t.createdAtMs, t.number),
    index('servers_region').on(t.region, t.deletedAtMs, t.createdAtMs, t.number),
    index('servers_runner').on(t.runnerId),
    index('servers_reservation').on(t.reservationId),
    index('servers_deadline').on(t.taskDeadlineMs).where(sql`task_deadline_ms IS NOT NULL`),
  ],
);

/** Instance actions: what was asked of a server and how it went. */
export const serverActions = sqliteTable(
  'server_actions',
  {
    requestId: text().notNull(),
    serverId: text().notNull(),
    action: text().notNull(),
    userId: text().notNull(),
    projectId: text().notNull(),
    startedAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
    finishedAtMs: integer(),
    /** `Error` when it failed, as Nova writes it. */
    message: text(),
  },
  (t) => [primaryKey({ columns: [t.serverId, t.requestId] })],
);

export const serverActionEvents = sqliteTable(
  'server_action_events',
  {
    serverId: text().notNull(),
    requestId: text().notNull(),
    event: text().notNull(),
    startedAtMs: integer().notNull(),
    finishedAtMs: integer(),
    result: text({ enum: ['Success', 'Error'] }),
    details: text(),
    runnerId: text(),
  },
  (t) => [primaryKey({ columns: [t.serverId, t.requestId, t.event] })],
);

/** Who may open a guest's console, for a while. The token itself is told once. */
export const consoleTokens = sqliteTable(
  'console_tokens',
  {
    /** SHA-256, hex. */
    tokenHash: text().primaryKey(),
    region: text().notNull(),
    serverId: text().notNull(),
    userId: text().notNull(),
    /** Nova's `novnc` or `serial`. */
    consoleType: text({ enum: ['novnc', 'serial'] }).notNull(),
    expiresAtMs: integer().notNull(),
  },
  (t) => [index('console_tokens_expiry').on(t.region, t.expiresAtMs), index('console_tokens_server').on(t.serverId)],
);
