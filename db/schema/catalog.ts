import { sql } from 'drizzle-orm';
import {
  type AnySQLiteColumn,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from 'drizzle-orm/sqlite-core';
import { domains, extra, projects } from './identity.ts';

/**
 * What operators add to the catalog. The cloud's own services, endpoints and regions follow from how it is set up and
 * have no rows, so ids of services and regions are no foreign keys here.
 */
export const catalogRegions = sqliteTable('catalog_regions', {
  id: text().primaryKey(),
  description: text().notNull().default(''),
  parentRegionId: text(),
  extra: extra(),
});

export const catalogServices = sqliteTable('catalog_services', {
  id: text().primaryKey(),
  type: text().notNull(),
  enabled: integer({ mode: 'boolean' }).notNull().default(true),
  /** Name and description among them, as in Keystone. */
  extra: extra(),
});

export const catalogEndpoints = sqliteTable(
  'catalog_endpoints',
  {
    id: text().primaryKey(),
    serviceId: text().notNull(),
    interface: text({ enum: ['public', 'internal', 'admin'] }).notNull(),
    regionId: text(),
    url: text().notNull(),
    enabled: integer({ mode: 'boolean' }).notNull().default(true),
    extra: extra(),
  },
  (t) => [index('catalog_endpoints_service').on(t.serviceId), index('catalog_endpoints_region').on(t.regionId)],
);

/** Endpoints by what they have in common; a project that is given one sees only those it was given. */
export const endpointGroups = sqliteTable('endpoint_groups', {
  id: text().primaryKey(),
  name: text().notNull(),
  description: text(),
  filters: text({ mode: 'json' }).$type<Record<string, string>>().notNull(),
});

export const projectEndpointGroups = sqliteTable(
  'project_endpoint_groups',
  {
    projectId: text()
      .notNull()
      .references((): AnySQLiteColumn => projects.id, { onDelete: 'cascade' }),
    endpointGroupId: text()
      .notNull()
      .references(() => endpointGroups.id, { onDelete: 'cascade' }),
  },
  (t) => [primaryKey({ columns: [t.projectId, t.endpointGroupId] })],
);

export const projectEndpoints = sqliteTable(
  'project_endpoints',
  {
    projectId: text()
      .notNull()
      .references((): AnySQLiteColumn => projects.id, { onDelete: 'cascade' }),
    endpointId: text().notNull(),
  },
  (t) => [primaryKey({ columns: [t.projectId, t.endpointId] })],
);

/** Rules of other services that Keystone keeps for them and does not read. */
export const policies = sqliteTable('policies', {
  id: text().primaryKey(),
  type: text().notNull(),
  blob: text().notNull(),
  extra: extra(),
});

/** What every project may have of something, where nothing else is said. */
export const registeredLimits = sqliteTable(
  'registered_limits',
  {
    id: text().primaryKey(),
    serviceId: text().notNull(),
    /** Empty for all regions, as a unique index needs a value. */
    regionId: text().notNull().default(''),
    resourceName: text().notNull(),
    defaultLimit: integer().notNull(),
    description: text(),
  },
  (t) => [uniqueIndex('registered_limits_resource').on(t.serviceId, t.regionId, t.resourceName)],
);

/** What one project or domain may have of it. */
export const limits = sqliteTable(
  'limits',
  {
    id: text().primaryKey(),
    registeredLimitId: text()
      .notNull()
      .references(() => registeredLimits.id),
    projectId: text().references((): AnySQLiteColumn => projects.id, { onDelete: 'cascade' }),
    domainId: text().references(() => domains.id, { onDelete: 'cascade' }),
    resourceLimit: integer().notNull(),
    description: text(),
  },
  (t) => [
    uniqueIndex('limits_project').on(t.registeredLimitId, t.projectId),
    uniqueIndex('limits_domain').on(t.registeredLimitId, t.domainId),
  ],
);

/** A domain's own configuration: one sealed JSON text, as there may be passwords in it. */
export const domainConfigs = sqliteTable('domain_configs', {
  domainId: text()
    .primaryKey()
    .references(() => domains.id, { onDelete: 'cascade' }),
  sealed: text().notNull(),
  changedAtMs: integer().notNull().default(sql`0`),
});
