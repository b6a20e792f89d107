import { sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export const images = sqliteTable(
  'images',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    projectId: text().notNull(),
    name: text(),
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
  (t) => [index('images_list').on(t.region, t.createdAtMs, t.id), index('images_project').on(t.projectId)],
);
