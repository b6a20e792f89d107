import { asc, eq } from 'drizzle-orm';
import { expect } from 'vitest';
import type { Database } from '../db/client.ts';
import { events } from '../db/schema/events.ts';
import { EVENT_DATA_BYTES_MAX, EVENT_TYPES, type EventTypeName } from '../shared/event-types.ts';

/** The events of a resource, in order. */
export const told = (db: Database, resourceId: string) =>
  db.select().from(events).where(eq(events.resourceId, resourceId)).orderBy(asc(events.sequence));

/** The types of a resource's events, each found well formed and its versions without a gap. */
export async function typesTold(
  db: Database,
  resourceId: string,
  of: { region: string; projectId: string | null },
): Promise<string[]> {
  const rows = await told(db, resourceId);
  for (const [index, row] of rows.entries()) {
    expect(row).toMatchObject({ ...of, version: index + 1 });
    expect(row.id).toMatch(/^evt_[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
    expect(Math.abs(Date.now() - row.atMs)).toBeLessThan(3_600_000);
    const { data } = EVENT_TYPES[row.type as EventTypeName];
    expect(data.parse(row.data)).toEqual(row.data);
    expect(JSON.stringify(row.data).length).toBeLessThan(EVENT_DATA_BYTES_MAX);
  }
  return rows.map((row) => row.type);
}
