import { WINDOW_MS } from '../../shared/meters.ts';
import type { Book } from './book.ts';

/** The start of the hour that a moment ends in: an hour is from just after its start to its end. */
export const hourOfEnd = (atMs: number) => (Math.ceil(atMs / WINDOW_MS) - 1) * WINDOW_MS;
/** The start of the hour that what follows a moment is in. */
export const hourOfStart = (atMs: number) => Math.floor(atMs / WINDOW_MS) * WINDOW_MS;

/** Notes that hours have to be sealed, for the first time or again. */
export function markHours(book: Book, starts: Iterable<number>, nowMs: number): void {
  for (const startMs of starts) {
    book.storage.sql.exec(
      `INSERT INTO meter_hours (start_ms, version, dirty, thinned, changed_at_ms) VALUES (?1, 1, 1, 0, ?2)
      ON CONFLICT (start_ms) DO UPDATE SET version = version + 1, dirty = 1, thinned = 0, changed_at_ms = ?2`,
      ...[startMs, nowMs],
    );
  }
}

/** An hour and which change of it was looked at. */
export type Hour = { startMs: number; version: number };

/** Hours that wait to be sealed and end by a moment, the oldest first. */
export const hoursToSeal = (book: Book, byMs: number, limit: number): Hour[] =>
  book.storage.sql
    .exec<Hour>(
      'SELECT start_ms AS startMs, version FROM meter_hours WHERE dirty = 1 AND start_ms <= ? ORDER BY start_ms LIMIT ?',
      ...[byMs - WINDOW_MS, limit],
    )
    .toArray();

/** Notes that an hour is sealed, unless it changed meanwhile. */
export function noteSealed(book: Book, { startMs, version }: Hour): void {
  book.storage.sql.exec('UPDATE meter_hours SET dirty = 0 WHERE start_ms = ? AND version = ?', startMs, version);
}
