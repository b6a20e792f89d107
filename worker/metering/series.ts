import { type Book, type Point, type Series, seriesKey } from './book.ts';

type SeriesRow = {
  id: number;
  type: string;
  resource: string;
  meter: string;
  epoch: string;
  base: number;
  adopted: number;
  refused_from: number | null;
  first_ms: number | null;
  last_ms: number | null;
  last: number | null;
};

/** All series of a machine, as memory has them. */
export function seriesOf(book: Book): Map<string, Series> {
  if (book.series) return book.series;
  const rows = book.storage.sql.exec<SeriesRow>(`
    SELECT s.id, s.type, s.resource, s.meter, s.epoch, s.base, s.adopted, s.refused_from,
      (SELECT min(p.t) FROM meter_points p WHERE p.series = s.id) AS first_ms, l.t AS last_ms, l.v AS last
    FROM meter_series s LEFT JOIN meter_points l ON l.series = s.id
      AND l.t = (SELECT max(p.t) FROM meter_points p WHERE p.series = s.id)`);
  const all = new Map<string, Series>();
  for (const row of rows) {
    const { adopted, refused_from: refusedFrom, first_ms: firstMs, last_ms: lastMs, ...rest } = row;
    const one = { ...rest, adopted: adopted === 1, refusedFrom, firstMs, lastMs };
    all.set(seriesKey(row.type, row.resource, row.meter, row.epoch), one);
  }
  book.series = all;
  return all;
}

/** Begins a series that was never heard of. */
export function beginSeries(book: Book, of: Pick<Series, 'type' | 'resource' | 'meter' | 'epoch' | 'adopted'>): Series {
  const { id } = book.storage.sql
    .exec<{ id: number }>(
      'INSERT INTO meter_series (type, resource, meter, epoch, base, adopted) VALUES (?, ?, ?, ?, 0, ?) RETURNING id',
      ...[of.type, of.resource, of.meter, of.epoch, of.adopted ? 1 : 0],
    )
    .one();
  const series = { id, ...of, base: 0, refusedFrom: null, firstMs: null, lastMs: null, last: null };
  seriesOf(book).set(seriesKey(of.type, of.resource, of.meter, of.epoch), series);
  return series;
}

/** Keeps what a series has of its own, beside its points. */
export function keepSeries(book: Book, { id, base, refusedFrom }: Series): void {
  book.storage.sql.exec('UPDATE meter_series SET base = ?, refused_from = ? WHERE id = ?', base, refusedFrom, id);
}

/** The points around a moment: the last at or before it, and the first after it. */
export function pointsAround(book: Book, seriesId: number, t: number): { before: Point | null; after: Point | null } {
  const { sql } = book.storage;
  const before = sql.exec<{ t: number; v: number }>(
    'SELECT t, v FROM meter_points WHERE series = ? AND t <= ? ORDER BY t DESC LIMIT 1',
    ...[seriesId, t],
  );
  const after = sql.exec<{ t: number; v: number }>(
    'SELECT t, v FROM meter_points WHERE series = ? AND t > ? ORDER BY t LIMIT 1',
    ...[seriesId, t],
  );
  return { before: before.toArray()[0] ?? null, after: after.toArray()[0] ?? null };
}
