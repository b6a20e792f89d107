import { sql } from 'drizzle-orm';
import { runBatch } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import type { Book } from './book.ts';
import type { Reason } from './judge.ts';
import { REFUSALS_MAX } from './limits.ts';

/** What was refused. Of a whole batch: the machine itself, with no meter. */
export interface Refusal {
  reason: Reason;
  type: string;
  resource: string;
  meter: string;
  value: string;
}

/** Rows that one batch to the database has. */
const TOLD_PER_BATCH_MAX = 500;

/** Counts a refusal in the book. */
export function noteRefusal(book: Book, refusal: Refusal, nowMs: number): void {
  if (again(book, refusal, nowMs)) return;
  book.refused ??= book.storage.sql.exec<{ n: number }>('SELECT count(*) AS n FROM meter_refused').one().n;
  // A machine that says ever new things takes no more room than this.
  const listed = book.refused < REFUSALS_MAX ? refusal : { ...refusal, type: 'other', resource: '', meter: '' };
  if (listed !== refusal && again(book, listed, nowMs)) return;
  const { reason, type, resource, meter, value } = listed;
  book.storage.sql.exec(
    `INSERT INTO meter_refused (reason, type, resource, meter, count, first_at_ms, last_at_ms, last_value, told)
    VALUES (?1, ?2, ?3, ?4, 1, ?5, ?5, ?6, 0)`,
    ...[reason, type, resource, meter, nowMs, value],
  );
  book.refused += 1;
}

/** Counts one that is listed. @returns false where it is not */
function again(book: Book, { reason, type, resource, meter, value }: Refusal, nowMs: number): boolean {
  const { rowsWritten } = book.storage.sql.exec(
    `UPDATE meter_refused SET count = count + 1, last_at_ms = ?5, last_value = ?6, told = 0
    WHERE reason = ?1 AND type = ?2 AND resource = ?3 AND meter = ?4`,
    ...[reason, type, resource, meter, nowMs, value],
  );
  return rowsWritten > 0;
}

type Row = {
  reason: string;
  type: string;
  resource: string;
  meter: string;
  count: number;
  first_at_ms: number;
  last_at_ms: number;
  last_value: string;
};

/** Tells the database what was refused since it was last told. The counts are whole ones: telling twice changes nothing. */
export async function tellRefusals(ctx: Context, book: Book, runnerId: string): Promise<void> {
  const columns = 'reason, type, resource, meter, count, first_at_ms, last_at_ms, last_value';
  const rows = book.storage.sql
    .exec<Row>(`SELECT ${columns} FROM meter_refused WHERE told = 0 LIMIT ?`, TOLD_PER_BATCH_MAX)
    .toArray();
  if (rows.length === 0) return;
  await runBatch(ctx.db, [
    ctx.db.run(sql`
      INSERT INTO meter_refusals (id, region, runner_id, reason, resource_type, resource_id, meter, count, first_at_ms, last_at_ms, last_value)
      SELECT ${runnerId} || ':' || (value ->> 'reason') || ':' || (value ->> 'type') || ':' || (value ->> 'resource') || ':' || (value ->> 'meter'),
        ${ctx.region}, ${runnerId}, value ->> 'reason', value ->> 'type', value ->> 'resource', value ->> 'meter',
        value ->> 'count', value ->> 'first_at_ms', value ->> 'last_at_ms', value ->> 'last_value'
      FROM json_each(${JSON.stringify(rows)}) WHERE 1
      ON CONFLICT (id) DO UPDATE SET count = excluded.count, last_at_ms = excluded.last_at_ms, last_value = excluded.last_value`),
  ]);
  // Those that were refused again meanwhile are told again.
  for (const { reason, type, resource, meter, count } of rows) {
    book.storage.sql.exec(
      'UPDATE meter_refused SET told = 1 WHERE reason = ? AND type = ? AND resource = ? AND meter = ? AND count = ?',
      ...[reason, type, resource, meter, count],
    );
  }
}
