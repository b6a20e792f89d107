import { sql } from 'drizzle-orm';
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** What an image will be once its staged data is imported. */
export interface StagedData {
  sizeBytes: number;
  virtualSizeBytes: number | null;
  md5: string;
  sha256: string;
  sha512: string;
  /** Why it will not be: the data is not of the image's format, or unsafe to open. */
  refusal: string | null;
}

export const images = sqliteTable(
  'images',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    projectId: text().notNull(),
    name: text(),
    /**
     * A deleted row stays without its properties, and without its data once no server is of it: an id, once used, never
     * names another image.
     */
    status: text({
      enum: ['queued', 'saving', 'uploading', 'importing', 'active', 'killed', 'deleted', 'deactivated'],
    }).notNull(),
    visibility: text({ enum: ['public', 'private', 'shared', 'community'] }).notNull(),
    protected: integer({ mode: 'boolean' }).notNull().default(false),
    osHidden: integer({ mode: 'boolean' }).notNull().default(false),
    containerFormat: text(),
    diskFormat: text(),
    minDiskGib: integer().notNull().default(0),
    minRamMib: integer().notNull().default(0),
    sizeBytes: integer(),
    virtualSizeBytes: integer(),
    md5: text(),
    sha256: text(),
    sha512: text(),
    /** The blob that holds the data; new at each upload, so a half-written one is never read. */
    blobKey: text(),
    /** What was found of data that is staged and waits for its import; null while it is still being written. */
    staged: text({ mode: 'json' }).$type<StagedData>(),
    properties: text({ mode: 'json' }).$type<Record<string, string>>().notNull().default(sql`'{}'`),
    tags: text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [
    index('images_list').on(t.region, t.createdAtMs, t.id).where(sql`status <> 'deleted'`),
    // Each of what a list shows a project, in the order of the list: a page costs the same, however many images there are.
    index('images_own').on(t.projectId, t.region, t.createdAtMs, t.id).where(sql`status <> 'deleted'`),
    index('images_open').on(t.region, t.visibility, t.createdAtMs, t.id).where(sql`status <> 'deleted'`),
    index('images_usage').on(t.projectId, t.region, t.status, t.sizeBytes),
    index('images_kept').on(t.region).where(sql`status = 'deleted' AND blob_key IS NOT NULL`),
    index('images_writing').on(t.blobKey).where(sql`status IN ('saving', 'uploading')`),
  ],
);

/**
 * Blobs that no readable image holds: one being uploaded, until its lease ends, or what a deleted image left. A sweep
 * removes each once its time has come, so that a worker that died between a commit and a delete leaves nothing behind.
 */
export const looseBlobs = sqliteTable(
  'loose_blobs',
  {
    key: text().primaryKey(),
    region: text().notNull(),
    /** Not to be touched before this: the upload that writes it renews it. */
    afterMs: integer().notNull(),
  },
  (t) => [index('loose_blobs_due').on(t.region, t.afterMs)],
);

/** Projects that an image of visibility `shared` is offered to. */
export const imageMembers = sqliteTable(
  'image_members',
  {
    imageId: text()
      .notNull()
      .references(() => images.id, { onDelete: 'cascade' }),
    /** A project's id. */
    memberId: text().notNull(),
    /** `accepted` puts the image in the member's default list; every member may read it by id. */
    status: text({ enum: ['pending', 'accepted', 'rejected'] }).notNull(),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.imageId, t.memberId] }), index('image_members_member').on(t.memberId)],
);

/** Work on an image that goes on after its request: imports. Kept for a while after it has ended. */
export const imageTasks = sqliteTable(
  'image_tasks',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    imageId: text().notNull(),
    projectId: text(),
    userId: text().notNull(),
    /** Whether an admin asked for it, who may read what others may not. */
    byAdmin: integer({ mode: 'boolean' }).notNull().default(false),
    requestId: text().notNull(),
    type: text({ enum: ['api_image_import', 'import'] }).notNull(),
    status: text({ enum: ['pending', 'processing', 'success', 'failure'] }).notNull(),
    input: text({ mode: 'json' }).$type<ImportTaskInput | LegacyTaskInput>().notNull(),
    message: text().notNull().default(''),
    result: text({ mode: 'json' }).$type<Record<string, unknown>>(),
    /** How often it was begun: one whose worker is lost begins again. */
    attempts: integer().notNull().default(0),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
    /** When it is forgotten; null while it has not ended. */
    expiresAtMs: integer(),
  },
  (t) => [
    index('image_tasks_image').on(t.imageId),
    index('image_tasks_list').on(t.region, t.createdAtMs, t.id),
    index('image_tasks_open').on(t.region, t.updatedAtMs).where(sql`status IN ('pending', 'processing')`),
    index('image_tasks_expiry').on(t.expiresAtMs),
  ],
);

export interface ImportTaskInput {
  image_id: string;
  /** The request's body. */
  import_req: Record<string, unknown> & {
    method: Record<string, unknown> & { name: string; uri?: string | undefined };
  };
  /** Ids of stores. */
  backend: string[];
}

/** Of a task of type `import`: an image that is made by it. */
export interface LegacyTaskInput {
  import_from: string;
  import_from_format: string;
  image_properties: Record<string, unknown>;
}
