import { WINDOW_MS } from '../../shared/meters.ts';
import { type Book, type Facts, forgetCopies, keepFacts, type Series } from './book.ts';
import { hourOfStart } from './hours.ts';
import { KEPT_PER_ROUND_MAX, MINUTES_KEPT_MS, RAW_KEPT_MS, SERIES_KEPT_MS } from './limits.ts';
import { seriesOf } from './series.ts';

type Start = { startMs: number };

/**
 * Lets go of points whose time is over. An hour is thinned to the last of each minute; later it is closed: what counters
 * stood at at its end is all that is left, and nothing is taken for it any more. Neither changes any window.
 * @returns whether there is more to do
 */
export function keepUp(book: Book, facts: Facts, nowMs: number): boolean {
  const sealed = Math.min(facts.sealedMs, hourOfStart(facts.spokenMs));
  const { sql } = book.storage;
  const thin = sql
    .exec<Start>(
      'SELECT start_ms AS startMs FROM meter_hours WHERE dirty = 0 AND thinned = 0 AND start_ms <= ? AND changed_at_ms <= ? ORDER BY start_ms LIMIT ?',
      ...[Math.min(sealed, hourOfStart(nowMs - RAW_KEPT_MS)) - WINDOW_MS, nowMs - RAW_KEPT_MS, KEPT_PER_ROUND_MAX],
    )
    .toArray();
  for (const { startMs } of thin) thinHour(book, startMs);
  // In order: a hole before a closed hour could never be filled.
  const oldest = sql
    .exec<Start & { dirty: number; changedAtMs: number }>(
      'SELECT start_ms AS startMs, dirty, changed_at_ms AS changedAtMs FROM meter_hours ORDER BY start_ms LIMIT ?',
      KEPT_PER_ROUND_MAX,
    )
    .toArray();
  const lasting = oldest.findIndex(
    ({ startMs, dirty, changedAtMs }) =>
      dirty === 1 || startMs + WINDOW_MS > sealed || changedAtMs > nowMs - MINUTES_KEPT_MS,
  );
  const over = lasting < 0 ? oldest : oldest.slice(0, lasting);
  for (const { startMs } of over) closeHour(book, startMs, nowMs);
  return thin.length === KEPT_PER_ROUND_MAX || over.length === KEPT_PER_ROUND_MAX;
}

/** Leaves the last point of each minute, and the first of the hour: what is between hours is divided as before. */
function thinHour(book: Book, startMs: number): void {
  const { sql } = book.storage;
  for (const { id, firstMs, lastMs } of seriesOf(book).values()) {
    if (lastMs === null || lastMs <= startMs || (firstMs ?? 0) > startMs + WINDOW_MS) continue;
    const points = sql
      .exec<{ t: number }>(
        'SELECT t FROM meter_points WHERE series = ? AND t > ? AND t <= ? ORDER BY t',
        ...[id, startMs, startMs + WINDOW_MS],
      )
      .toArray();
    const minute = (t: number) => Math.ceil(t / 60_000);
    const over = points.filter(({ t }, at) => {
      const next = points[at + 1];
      return at > 0 && next !== undefined && minute(next.t) === minute(t);
    });
    if (over.length === 0) continue;
    sql.exec(
      'DELETE FROM meter_points WHERE series = ? AND t IN (SELECT value FROM json_each(?))',
      ...[id, JSON.stringify(over.map(({ t }) => t))],
    );
  }
  sql.exec('UPDATE meter_hours SET thinned = 1 WHERE start_ms = ?', startMs);
}

/**
 * Leaves of each series the last point of an hour: what comes after goes on from there. Where the counter stood at the
 * end of the hour still follows from that and the point after it. Forgets series that have long been silent.
 */
function closeHour(book: Book, startMs: number, nowMs: number): void {
  const endMs = startMs + WINDOW_MS;
  book.storage.transactionSync(() => {
    for (const series of seriesOf(book).values()) closeSeries(book, series, { startMs, endMs, nowMs });
    book.storage.sql.exec('DELETE FROM meter_owners WHERE left_at_ms < ?', nowMs - SERIES_KEPT_MS);
    book.storage.sql.exec('DELETE FROM meter_hours WHERE start_ms = ?', startMs);
    keepFacts(book, { closedMs: endMs });
  });
  forgetCopies(book);
}

function closeSeries(
  book: Book,
  { id, firstMs, lastMs }: Series,
  of: { startMs: number; endMs: number; nowMs: number },
): void {
  const { sql } = book.storage;
  const { startMs, endMs, nowMs } = of;
  if ((lastMs ?? 0) <= startMs) {
    if (lastMs !== null && lastMs > nowMs - SERIES_KEPT_MS) return;
    sql.exec('DELETE FROM meter_points WHERE series = ?', id);
    sql.exec('DELETE FROM meter_series WHERE id = ?', id);
    return;
  }
  if (firstMs === null || firstMs > endMs) return;
  sql.exec(
    'DELETE FROM meter_points WHERE series = ?1 AND t < (SELECT max(t) FROM meter_points WHERE series = ?1 AND t <= ?2)',
    ...[id, endMs],
  );
}
