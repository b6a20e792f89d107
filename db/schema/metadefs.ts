import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

/** Catalogs of properties that may be set on images, flavors and so on. Clients read them; nothing here enforces them. */
export const metadefNamespaces = sqliteTable(
  'metadef_namespaces',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    name: text().notNull(),
    displayName: text(),
    description: text(),
    visibility: text({ enum: ['public', 'private'] }).notNull(),
    protected: integer({ mode: 'boolean' }).notNull().default(false),
    projectId: text(),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [
    uniqueIndex('metadef_namespaces_name').on(t.region, t.name),
    index('metadef_namespaces_list').on(t.region, t.createdAtMs, t.id),
  ],
);

/** What a namespace holds: objects, properties, tags, and the types of resources that it is for. */
export const metadefItems = sqliteTable(
  'metadef_items',
  {
    namespaceId: text()
      .notNull()
      .references(() => metadefNamespaces.id, { onDelete: 'cascade' }),
    kind: text({ enum: ['object', 'property', 'tag', 'resource_type'] }).notNull(),
    name: text().notNull(),
    /** What the client said of it, the name aside. */
    body: text({ mode: 'json' }).$type<Record<string, unknown>>().notNull(),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.namespaceId, t.kind, t.name] }),
    index('metadef_items_resource_types').on(t.kind, t.name),
  ],
);

/** Types of resources that some namespace was once for, beyond the well-known ones. */
export const metadefResourceTypes = sqliteTable(
  'metadef_resource_types',
  {
    region: text().notNull(),
    name: text().notNull(),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.region, t.name] })],
);
