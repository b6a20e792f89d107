import type { Book } from './book.ts';
import { MEASURES_MAX } from './limits.ts';

export interface PointsAsked {
  type: string;
  resource: string;
  meter: string;
  fromMs: number;
  toMs: number;
}

/** A point of a resource's meter: which epoch's it is, when, and what it stood at. */
export interface MeterPoint {
  series: number;
  t: number;
  v: number;
}

/** Points of a time, in order; of each epoch with the last before it, so that what it rose by can be told. */
export function readPoints(book: Book, asked: PointsAsked): MeterPoint[] {
  const { type, resource, meter, fromMs, toMs } = asked;
  return book.storage.sql
    .exec<{ series: number; t: number; v: number }>(
      `SELECT p.series, p.t, p.v FROM meter_series s JOIN meter_points p ON p.series = s.id
      WHERE s.resource = ? AND s.meter = ? AND s.type = ? AND p.t <= ?
        AND p.t >= coalesce((SELECT max(q.t) FROM meter_points q WHERE q.series = s.id AND q.t <= ?), 0)
      ORDER BY p.t, p.series LIMIT ?`,
      ...[resource, meter, type, toMs, fromMs, MEASURES_MAX],
    )
    .toArray();
}
