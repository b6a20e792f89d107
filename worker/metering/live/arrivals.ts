import { METERS, type Meter, SAMPLE_EVERY_MS } from '../../../shared/meters.ts';
import type { Book } from '../book.ts';
import { RAW_KEPT_MS } from '../limits.ts';
import type { Moment } from '../take-value.ts';

/*
 * In which order samples came. A machine that was away tells late what it sampled before, so a reader who goes on from
 * where it was must know what came, not what is newest: each moment that is taken has a number, and so have its points.
 */

/** What is watched of a resource. */
export interface Watched {
  type: string;
  resource: string;
  meters: readonly Meter[];
}

/** Where a reader was: after a number of this machine's, or, of one it has not read, after a time at which points came. */
export interface LiveFrom {
  n: number | null;
  atMs: number;
}
/** Where a reader begins. `gap`: what it would have had to read before that is no longer kept. */
export interface LiveStart {
  n: number;
  atMs: number;
  gap: boolean;
}

export interface LivePoint {
  resource: string;
  meter: string;
  v: number;
  /** What a counter rose by, and over how long; null of a gauge, and where nobody knows. */
  rose: number | null;
  overMs: number | null;
}
/** A moment as it came: when it was sampled, when it came, and the points that are watched. */
export interface Arrival {
  n: number;
  t: number;
  atMs: number;
  points: LivePoint[];
}

/** Arrivals that one new one may push out: more than come. */
const DROPPED_PER_ARRIVAL = 10;
/** Arrivals that are looked through in one go for one that has what is watched. */
const LOOKED_AT_MAX = 200;

/** Gives a moment its number. It is kept as long as points of ten seconds are. */
export function noteArrival(book: Book, { t, nowMs }: Moment): number {
  const { sql } = book.storage;
  sql.exec(
    `DELETE FROM meter_arrivals WHERE at_ms < ? AND n IN (SELECT n FROM meter_arrivals ORDER BY n LIMIT ?)`,
    ...[nowMs - RAW_KEPT_MS, DROPPED_PER_ARRIVAL],
  );
  return sql.exec<{ n: number }>('INSERT INTO meter_arrivals (t, at_ms) VALUES (?, ?) RETURNING n', t, nowMs).one().n;
}

/** Where a reader goes on; one that begins says the time now. */
export function liveFrom(book: Book, from: LiveFrom): LiveStart {
  const { sql } = book.storage;
  const row = sql
    .exec<{ first: number | null; last: number | null }>('SELECT min(n) AS first, max(n) AS last FROM meter_arrivals')
    .one();
  const [first, last] = [row.first ?? 1, row.last ?? 0];
  // A number beyond ours is of another life of this storage.
  if (from.n !== null && from.n <= last) {
    const n = Math.max(from.n, first - 1);
    return { n, atMs: from.atMs, gap: n > from.n };
  }
  const after = sql
    .exec<{ n: number | null }>('SELECT max(n) AS n FROM meter_arrivals WHERE at_ms <= ?', from.atMs)
    .one().n;
  return { n: after ?? first - 1, atMs: from.atMs, gap: after === null && first > 1 };
}

/** The first arrival after a number that has points of what is watched; where none of those looked at has, the last, without any. */
export function nextArrival(book: Book, watched: readonly Watched[], afterN: number): Arrival | null {
  const { sql } = book.storage;
  const arrivals = sql
    .exec<{ n: number; t: number; at_ms: number }>(
      'SELECT n, t, at_ms FROM meter_arrivals WHERE n > ? ORDER BY n LIMIT ?',
      afterN,
      LOOKED_AT_MAX,
    )
    .toArray();
  for (const { n, t, at_ms: atMs } of arrivals) {
    const points = watched.flatMap((one) => pointsOf(book, one, { n, t }));
    if (points.length > 0) return { n, t, atMs, points };
  }
  const last = arrivals.at(-1);
  return last ? { n: last.n, t: last.t, atMs: last.at_ms, points: [] } : null;
}

function pointsOf(book: Book, { type, resource, meters }: Watched, { n, t }: { n: number; t: number }): LivePoint[] {
  const rows = book.storage.sql.exec<{
    meter: string;
    v: number;
    base: number;
    adopted: number;
    beforeT: number | null;
    beforeV: number | null;
  }>(
    `SELECT s.meter, p.v, s.base, s.adopted, (SELECT max(b.t) FROM meter_points b WHERE b.series = s.id AND b.t < p.t) AS beforeT,
      (SELECT b.v FROM meter_points b WHERE b.series = s.id AND b.t < p.t ORDER BY b.t DESC LIMIT 1) AS beforeV
    FROM meter_series s JOIN meter_points p ON p.series = s.id
    WHERE s.resource = ? AND s.meter IN (SELECT value FROM json_each(?)) AND s.type = ? AND p.t = ? AND p.n = ? ORDER BY s.meter, s.id`,
    ...[resource, JSON.stringify(meters), type, t, n],
  );
  return rows.toArray().map(({ meter, v, base, adopted, beforeT, beforeV }) => {
    // An epoch counts from zero; but one that had begun before our samples did rose we do not know when.
    const unknown = METERS[meter as Meter].type === 'gauge' || (beforeV === null && adopted === 1);
    if (unknown) return { resource, meter, v, rose: null, overMs: null };
    return {
      resource,
      meter,
      v,
      rose: v - (beforeV ?? base),
      overMs: beforeT === null ? SAMPLE_EVERY_MS : t - beforeT,
    };
  });
}
