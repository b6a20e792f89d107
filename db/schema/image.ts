import { sql } from 'drizzle-orm';
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export const images = sqliteTable(
  'images',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    projectId: text().notNull(),
    name: text(),
    /** A deleted row stays without its data and properties: an id, once used, never names another image. */
    status: text({ enum: ['queued', 'saving', 'active', 'killed', 'deleted', 'deactivated'] }).notNull(),
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
    properties: text({ mode: 'json' }).$type<Record<string, string>>().notNull().default(sql`'{}'`),
    tags: text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [
    index('images_list').on(t.region, t.createdAtMs, t.id).where(sql`status <> 'deleted'`),
    index('images_project').on(t.projectId),
    index('images_saving').on(t.blobKey).where(sql`status = 'saving'`),
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
