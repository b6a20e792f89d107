import { sql } from 'drizzle-orm';
import { index, integer, primaryKey, real, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/**
 * What a resource was, and for how long: the spans of one resource tile its life. They are written by triggers, in the
 * transaction that changes the resource, so that no way to change one can forget them.
 */
export const usageSpans = sqliteTable(
  'usage_spans',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    region: text().notNull(),
    projectId: text().notNull(),
    /** `server`, `floating_ip`, `image`, ...: the item of a product. */
    resourceType: text().notNull(),
    resourceId: text().notNull(),
    resourceName: text().notNull(),
    /** What of the kind it is: a server's flavor by name; `default` where there is but one. */
    itemType: text().notNull(),
    /** As prices tell them apart: of a server its state at rest. */
    state: text().notNull(),
    /** How much of it there is, in the item's own unit: 1 server, bytes of an image. */
    quantity: integer().notNull().default(1),
    startMs: integer().notNull(),
    /** Null while it lasts. The next span begins where this ends. */
    endMs: integer(),
  },
  (t) => [
    index('usage_spans_resource').on(t.resourceType, t.resourceId, t.startMs),
    index('usage_spans_project').on(t.projectId, t.startMs),
    index('usage_spans_item').on(t.region, t.resourceType, t.itemType, t.endMs),
    index('usage_spans_open').on(t.resourceType, t.resourceId).where(sql`end_ms IS NULL`),
  ],
);

/** What was used of a meter in an hour, as one machine counted it: a resource that moved has a row of each. */
export const meterWindows = sqliteTable(
  'meter_windows',
  {
    region: text().notNull(),
    projectId: text().notNull(),
    resourceType: text().notNull(),
    resourceId: text().notNull(),
    /** As in `shared/meters.ts`. */
    meter: text().notNull(),
    startMs: integer().notNull(),
    runnerId: text().notNull(),
    /** In the meter's unit: what was added to a counter, or the mean of a gauge. */
    value: integer().notNull(),
    /** How much of the hour samples speak for, in hundredths of a percent. */
    coverage: integer().notNull(),
    /** Rises when samples came after it was sealed: billing books the difference. */
    revision: integer().notNull().default(1),
    sealedAtMs: integer().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.resourceId, t.meter, t.startMs, t.runnerId] }),
    index('meter_windows_project').on(t.projectId, t.startMs),
    index('meter_windows_meter').on(t.region, t.meter, t.startMs),
  ],
);

/** How far each machine's windows are sealed: nothing later may be billed yet. */
export const meterProgress = sqliteTable('meter_progress', {
  runnerId: text().primaryKey(),
  region: text().notNull(),
  sealedThroughMs: integer().notNull(),
});

/** Samples that were refused, and why: nothing is billed by guess. */
export const meterRefusals = sqliteTable(
  'meter_refusals',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    runnerId: text().notNull(),
    reason: text().notNull(),
    resourceType: text().notNull(),
    resourceId: text().notNull(),
    meter: text().notNull(),
    /** How often so far, since when, and what the last one said. */
    count: integer().notNull(),
    firstAtMs: integer().notNull(),
    lastAtMs: integer().notNull(),
    lastValue: text().notNull(),
  },
  (t) => [index('meter_refusals_region').on(t.region, t.lastAtMs)],
);

/** What somebody wants to be told of: that a meter of a resource goes past a threshold, and that it comes back. */
export const meterAlarms = sqliteTable(
  'meter_alarms',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    projectId: text().notNull(),
    name: text().notNull(),
    resourceType: text().notNull(),
    resourceId: text().notNull(),
    meter: text().notNull(),
    /** Of what was read in the window: of a counter `rate`, by the second; of a gauge `mean`, `min` or `max`. */
    statistic: text({ enum: ['rate', 'mean', 'min', 'max'] }).notNull(),
    comparison: text({ enum: ['gt', 'ge', 'lt', 'le'] }).notNull(),
    threshold: real().notNull(),
    windowS: integer().notNull(),
    enabled: integer({ mode: 'boolean' }).notNull().default(true),
    /** `unknown` until something was read. */
    state: text({ enum: ['unknown', 'ok', 'triggered'] }).notNull(),
    stateSinceMs: integer().notNull(),
    /** Null where nothing was read the last time. */
    value: real(),
    checkedAtMs: integer().notNull().default(0),
    createdAtMs: integer().notNull(),
  },
  (t) => [
    index('meter_alarms_project').on(t.region, t.projectId),
    index('meter_alarms_due').on(t.region, t.checkedAtMs).where(sql`enabled = 1`),
  ],
);
