import type { Book } from './book.ts';
import { SPOOL_RANGES_MAX, SPOOLS_MAX } from './limits.ts';

/*
 * Which batches of a spool are in the book: as ranges, so that whatever comes twice or out of order is known. A spool is
 * said oldest first in each session, so what lies below the first that a session says was forgotten by the machine, and
 * is not waited for.
 */

type Range = { first: number; last: number };

/** Begins, or goes on with, a spool in a session. @param first - the lowest number of a message */
export function openSpool(book: Book, of: { spool: string; session: string; first: number; nowMs: number }): void {
  const { sql } = book.storage;
  const { spool, session, first, nowMs } = of;
  sql.exec(
    `INSERT INTO meter_spools (spool, session, floor, used_at_ms) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (spool) DO UPDATE SET floor = CASE WHEN session = ?2 THEN min(floor, ?3) ELSE ?3 END, session = ?2, used_at_ms = ?4`,
    ...[spool, session, first, nowMs],
  );
  sql.exec(
    `DELETE FROM meter_spools WHERE spool NOT IN (SELECT spool FROM meter_spools ORDER BY used_at_ms DESC, spool LIMIT ?)`,
    SPOOLS_MAX,
  );
  sql.exec('DELETE FROM meter_ranges WHERE spool NOT IN (SELECT spool FROM meter_spools)');
}

/** Notes a batch. @returns false where it was noted before, or would be one gap too many: it is said again, then */
export function noteBatch(book: Book, spool: string, seq: number): boolean {
  const { sql } = book.storage;
  const below = rangeAt(book, spool, seq);
  if (below && below.last >= seq) return false;
  const above = sql
    .exec<Range>('SELECT first, last FROM meter_ranges WHERE spool = ? AND first = ?', spool, seq + 1)
    .toArray()[0];
  const joins = below?.last === seq - 1;
  if (!joins && !above && rangesOf(book, spool) >= SPOOL_RANGES_MAX) return false;
  if (above) sql.exec('DELETE FROM meter_ranges WHERE spool = ? AND first = ?', spool, above.first);
  const first = joins && below ? below.first : seq;
  sql.exec(
    'INSERT OR REPLACE INTO meter_ranges (spool, first, last) VALUES (?, ?, ?)',
    spool,
    first,
    above?.last ?? seq,
  );
  return true;
}

/** Up to which batch a spool is in the book without a gap; 0: not even the first that the session has. */
export function spoolAck(book: Book, spool: string): number {
  const row = book.storage.sql
    .exec<{ floor: number }>('SELECT floor FROM meter_spools WHERE spool = ?', spool)
    .toArray()[0];
  const range = row && rangeAt(book, spool, row.floor);
  return range && range.last >= row.floor ? range.last : 0;
}

const rangeAt = (book: Book, spool: string, seq: number): Range | undefined =>
  book.storage.sql
    .exec<Range>(
      'SELECT first, last FROM meter_ranges WHERE spool = ? AND first <= ? ORDER BY first DESC LIMIT 1',
      ...[spool, seq],
    )
    .toArray()[0];

const rangesOf = (book: Book, spool: string): number =>
  book.storage.sql.exec<{ n: number }>('SELECT count(*) AS n FROM meter_ranges WHERE spool = ?', spool).one().n;
