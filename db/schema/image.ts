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
    /** While `saving`: the moment after which the upload counts as lost and the image may be uploaded to again. */
    uploadDeadlineMs: integer(),
    properties: text({ mode: 'json' }).$type<Record<string, string>>().notNull().default(sql`'{}'`),
    tags: text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [
    index('images_list').on(t.region, t.createdAtMs, t.id).where(sql`status <> 'deleted'`),
    index('images_project').on(t.projectId),
  ],
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
