import { METERS, type Meter, SAMPLE_EVERY_MS, WINDOW_MS } from '../../shared/meters.ts';
import { type Book, ownerKey, type Point } from './book.ts';
import { GAUGE_SPEAKS_MS } from './limits.ts';
import { ownersOf } from './owners.ts';
import { standing } from './value-at.ts';

/** Hundredths of a percent of a whole hour. */
const COVERED_WHOLLY = 10_000;

/** What a machine saw used of a meter in an hour. */
export interface Window {
  projectId: string;
  type: string;
  resource: string;
  meter: string;
  value: number;
  coverage: number;
}

/** A series, with its points at the borders of an hour: the last before or at each, and the first after it. */
type Borders = {
  id: number;
  type: string;
  resource: string;
  meter: string;
  base: number;
  beforeStartMs: number | null;
  beforeStart: number | null;
  afterStartMs: number | null;
  afterStart: number | null;
  beforeEndMs: number | null;
  beforeEnd: number | null;
  afterEndMs: number | null;
  afterEnd: number | null;
};

const BORDERS = `
  SELECT s.id, s.type, s.resource, s.meter, s.base, a.t AS beforeStartMs, a.v AS beforeStart, b.t AS afterStartMs, b.v AS afterStart,
    c.t AS beforeEndMs, c.v AS beforeEnd, d.t AS afterEndMs, d.v AS afterEnd
  FROM meter_series s
    LEFT JOIN meter_points a ON a.series = s.id AND a.t = (SELECT max(t) FROM meter_points WHERE series = s.id AND t <= ?1)
    LEFT JOIN meter_points b ON b.series = s.id AND b.t = (SELECT min(t) FROM meter_points WHERE series = s.id AND t > ?1)
    LEFT JOIN meter_points c ON c.series = s.id AND c.t = (SELECT max(t) FROM meter_points WHERE series = s.id AND t <= ?2)
    LEFT JOIN meter_points d ON d.series = s.id AND d.t = (SELECT min(t) FROM meter_points WHERE series = s.id AND t > ?2)
  WHERE b.t IS NOT NULL`;

/**
 * The windows of an hour, of all that was sampled. They follow from the points alone, in whatever order those came: a
 * counter's is where it stood at the end less where it stood at the start, so that windows in a row amount to the counter.
 */
export function windowsOf(book: Book, startMs: number): Window[] {
  const endMs = startMs + WINDOW_MS;
  const sums = new Map<string, Window & { covered: number; weighed: bigint }>();
  for (const series of book.storage.sql.exec<Borders>(BORDERS, startMs, endMs)) {
    const one =
      METERS[series.meter as Meter].type === 'gauge' ? gauge(book, series, startMs) : counter(series, startMs);
    if (one.covered <= 0) continue;
    const { type, resource, meter } = series;
    const key = `${type}\n${resource}\n${meter}`;
    const projectId = ownersOf(book).get(ownerKey(type, resource))?.projectId ?? '';
    const sum = sums.get(key) ?? { projectId, type, resource, meter, value: 0, coverage: 0, covered: 0, weighed: 0n };
    sum.value += one.value;
    sum.covered += one.covered;
    sum.weighed += one.weighed;
    sums.set(key, sum);
  }
  return [...sums.values()].map(({ covered, weighed, ...window }) => ({
    ...window,
    value: METERS[window.meter as Meter].type === 'gauge' ? Number(weighed / BigInt(covered)) : window.value,
    coverage: Math.min(COVERED_WHOLLY, Math.floor((covered * COVERED_WHOLLY) / WINDOW_MS)),
  }));
}

const point = (t: number | null, v: number | null): Point | null => (t === null || v === null ? null : { t, v });

function counter(series: Borders, startMs: number) {
  const endMs = startMs + WINDOW_MS;
  const before = point(series.beforeStartMs, series.beforeStart);
  const first = point(series.afterStartMs, series.afterStart) as Point;
  const last = point(series.beforeEndMs, series.beforeEnd);
  const after = point(series.afterEndMs, series.afterEnd);
  const from = standing(startMs, before, first, series.base) ?? 0;
  const to = standing(endMs, last, after, series.base) ?? from;
  const speaksFrom = Math.max(startMs, before?.t ?? first.t - SAMPLE_EVERY_MS);
  const speaksTo = after ? endMs : (last?.t ?? endMs);
  return { value: to - from, covered: Math.min(endMs, speaksTo) - speaksFrom, weighed: 0n };
}

/** A gauge by the time that each reading stands for. */
function gauge(book: Book, series: Borders, startMs: number) {
  const endMs = startMs + WINDOW_MS;
  const points = book.storage.sql.exec<{ t: number; v: number }>(
    'SELECT t, v FROM meter_points WHERE series = ? AND t > ? AND t <= ? ORDER BY t',
    ...[series.id, startMs, endMs + GAUGE_SPEAKS_MS],
  );
  let previousMs = series.beforeStartMs;
  let covered = 0;
  let weighed = 0n;
  for (const { t, v } of points) {
    const sinceMs = Math.max(startMs, t - GAUGE_SPEAKS_MS, previousMs ?? t - SAMPLE_EVERY_MS);
    const forMs = Math.min(endMs, t) - sinceMs;
    previousMs = t;
    if (forMs <= 0) continue;
    covered += forMs;
    weighed += BigInt(v) * BigInt(forMs);
  }
  return { value: 0, covered, weighed };
}
