import { type SQL, sql } from 'drizzle-orm';
import { EVENT_DATA_BYTES_MAX, EVENT_TYPES, type EventData, type EventTypeName } from '../../shared/event-types.ts';
import type { Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';

export interface NewEvent<T extends EventTypeName> {
  type: T;
  /** Whose it is; null: the operator's alone. */
  projectId: string | null;
  /** What it is of: versions count the events of it. */
  resourceId: string;
  data: EventData<T>;
  /** When it happened; absent: now. */
  atMs?: number;
  /** Told only where this holds as the batch runs. */
  when?: SQL;
}

/**
 * Tells an event in the batch of what caused it: it is there iff that committed. Its webhooks follow by themselves.
 * @returns a statement for `commit`, which wakes the endpoints
 * @throws Error where the data is not as its type says, or too large: a slip of the caller's
 */
export function putEvent<T extends EventTypeName>(ctx: Context, event: NewEvent<T>): Statement {
  const { type, projectId, resourceId, when = sql`1` } = event;
  const checked = EVENT_TYPES[type].data.safeParse(event.data);
  if (!checked.success) throw new Error(`event ${type}: ${checked.error.message}`);
  const data = JSON.stringify(event.data);
  if (new TextEncoder().encode(data).byteLength > EVENT_DATA_BYTES_MAX)
    throw new Error(`event ${type}: its data is over ${EVENT_DATA_BYTES_MAX} bytes`);
  const atMs = event.atMs ?? ctx.clock.nowMs();
  return ctx.db.run(sql`
    INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    SELECT ${`evt_${ctx.ids.hex()}`}, ${ctx.region}, ${projectId}, ${type}, ${resourceId}, 0, ${atMs}, ${data} WHERE ${when}`);
}
