import { METERS, type Meter, SAMPLE_EVERY_MS, WINDOW_MS } from '../../shared/meters.ts';
import { type Book, type Facts, type Owner, type Point, type Series, seriesKey } from './book.ts';
import { hourOfEnd, hourOfStart } from './hours.ts';
import { judgeCounter, judgeGauge, meterOf, type Reason } from './judge.ts';
import { ADOPTED_BEFORE_MS, ADOPTED_WITHIN_MS, SERIES_MAX } from './limits.ts';
import { beginSeries, keepSeries, pointsAround, seriesOf } from './series.ts';
import { standing } from './value-at.ts';

const LAP = /\.\d+$/;

/** One moment of a machine, as it is written down: `points` and `hours` are what is to be written at its end. */
export interface Moment {
  t: number;
  nowMs: number;
  facts: Facts;
  hours: Set<number>;
  points: [series: number, value: number][];
}

/** Takes one value of one resource. @returns why not, where it does not count */
export function takeValue(
  book: Book,
  moment: Moment,
  of: { owner: Owner; epoch: string; name: string; value: number },
): Reason | null {
  const { owner, epoch, name, value } = of;
  const meter = meterOf(name, owner.type);
  if (!meter) return 'unknown-meter';
  const all = seriesOf(book);
  const known = all.get(seriesKey(owner.type, owner.resource, meter, epoch));
  if (!known && all.size >= SERIES_MAX) return 'too-many';
  const { type, resource } = owner;
  const series =
    known ??
    beginSeries(book, { type, resource, meter, epoch, adopted: isAdopted(book, moment, owner, { meter, epoch }) });
  const { before, after } = around(book, series, moment.t);
  if (before?.t === moment.t) return before.v === value ? null : 'contradicts';
  const closed = closedPoint(moment, series, { before, after });
  const reason = judge(meter, series, { t: moment.t, v: value }, { before, after, closed, owner });
  if (reason === 'jumped') {
    series.refusedFrom = Math.min(series.refusedFrom ?? value, value);
    keepSeries(book, series);
  }
  if (reason) return reason;
  if (closed) keepClosed(book, series, closed);
  keep(book, moment, series, { v: value, before: closed ?? before, after });
  return null;
}

/**
 * What was there long before this machine's samples began has counted for long, of which nobody knows what was used when:
 * its first epoch is counted from its first sample on. All else is counted whole.
 */
function isAdopted(
  book: Book,
  { t, facts }: Moment,
  { type, resource, createdAtMs }: Owner,
  { meter, epoch }: { meter: Meter; epoch: string },
): boolean {
  if (createdAtMs >= facts.sinceMs - ADOPTED_BEFORE_MS || t > facts.sinceMs + ADOPTED_WITHIN_MS) return false;
  // A counter that has been full goes on in laps, epochs of one name and a number: they are one counter.
  const name = epoch.replace(LAP, '');
  const earlier = book.storage.sql.exec<{ epoch: string }>(
    'SELECT epoch FROM meter_series WHERE resource = ? AND meter = ? AND type = ?',
    ...[resource, meter, type],
  );
  return earlier.toArray().every((one) => one.epoch.replace(LAP, '') === name);
}

/** The points around a moment; those of the usual order are known without asking the storage. */
function around(book: Book, series: Series, t: number): { before: Point | null; after: Point | null } {
  const { lastMs, last } = series;
  if (lastMs === null || last === null) return { before: null, after: null };
  return t >= lastMs ? { before: { t: lastMs, v: last }, after: null } : pointsAround(book, series.id, t);
}

/**
 * Where a counter stood at the end of what is closed, where a point would say anew what was used before that: nothing more
 * is counted in an hour that is closed, so what was used since goes to the hours after it.
 */
function closedPoint(
  { t, facts }: Moment,
  series: Series,
  { before, after }: { before: Point | null; after: Point | null },
): Point | null {
  if (METERS[series.meter as Meter].type === 'gauge') return null;
  if (before === null && series.adopted) return null;
  if ((before?.t ?? t - SAMPLE_EVERY_MS) >= facts.closedMs) return null;
  return { t: facts.closedMs, v: standing(facts.closedMs, before, after, series.base) ?? series.base };
}

const keepClosed = (book: Book, { id }: Series, { t, v }: Point) =>
  book.storage.sql.exec('INSERT OR IGNORE INTO meter_points (series, t, v) VALUES (?, ?, ?)', id, t, v);

function judge(
  meter: Meter,
  series: Series,
  point: Point,
  of: { before: Point | null; after: Point | null; closed: Point | null; owner: Owner },
): Reason | null {
  if (METERS[meter].type === 'gauge') return judgeGauge(point.v);
  const bornMs = series.adopted ? Number.NEGATIVE_INFINITY : of.owner.createdAtMs;
  const reason = judgeCounter(meter, point, { ...of, bornMs, refusedFrom: series.refusedFrom });
  return reason ?? (of.closed && !isFirst(series) && point.v < of.closed.v ? 'fell' : null);
}

const isFirst = ({ firstMs }: Series) => firstMs === null;

function keep(
  book: Book,
  moment: Moment,
  series: Series,
  { v, before, after }: { v: number; before: Point | null; after: Point | null },
): void {
  const { t, facts, hours } = moment;
  moment.points.push([series.id, v]);
  if (series.firstMs === null || t < series.firstMs) begins(book, moment, series, v);
  if (series.lastMs === null || t > series.lastMs) Object.assign(series, { lastMs: t, last: v });
  const from = Math.max(before?.t ?? t - SAMPLE_EVERY_MS, facts.closedMs);
  const through = hourOfEnd(after?.t ?? t);
  for (let hour = hourOfStart(from); hour <= through; hour += WINDOW_MS) hours.add(hour);
}

/** A point that none of its epoch is before. */
function begins(book: Book, { t }: Moment, series: Series, v: number): void {
  series.firstMs = t;
  if (!series.adopted) return;
  series.base = v;
  keepSeries(book, series);
}
