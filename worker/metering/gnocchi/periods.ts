import { badRequest } from '../../http/errors.ts';
import type { MeterPoint } from '../read-points.ts';

/** Seconds of a period. */
export const GRANULARITIES_S = [3_600, 60, 10] as const;
export const AGGREGATIONS = ['mean', 'sum', 'min', 'max', 'count', 'last'] as const;
export type Aggregation = (typeof AGGREGATIONS)[number];

/** What is made of the values of a period: of what they are, or of what they rose by since the one before. */
export interface Method {
  of: Aggregation;
  rate: boolean;
}

/** When a period begins in milliseconds, how many seconds it has, and its value. */
export type Measure = [startMs: number, granularityS: number, value: number];

/** @throws ApiError 400 */
export function parseMethod(text: string): Method {
  const rate = text.startsWith('rate:');
  const of = AGGREGATIONS.find((one) => one === (rate ? text.slice('rate:'.length) : text));
  if (!of) throw badRequest(`Aggregation method '${text.slice(0, 32)}' does not exist for this metric.`);
  return { of, rate };
}

/** @throws ApiError 400 for periods that are not kept */
export function parseGranularities(text: string | undefined): readonly number[] {
  if (text === undefined) return GRANULARITIES_S;
  const seconds = GRANULARITIES_S.find((one) => one === Number(text));
  if (!seconds)
    throw badRequest(`Granularity '${text.slice(0, 32)}' does not exist: there are 10, 60 and 3600 seconds.`);
  return [seconds];
}

/** One value of many. */
export function combine(of: Aggregation, values: number[]): number {
  const sum = () => values.reduce((total, value) => total + value, 0);
  switch (of) {
    case 'count':
      return values.length;
    case 'sum':
      return sum();
    case 'mean':
      return sum() / values.length;
    case 'min':
      return values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
    case 'max':
      return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    case 'last':
      return values.at(-1) as number;
  }
}

/** The period that a value speaks for: it is of the time before it, so what is read at a border ends the one before. */
export const periodOf = (atMs: number, granularityS: number): number =>
  (Math.ceil(atMs / (granularityS * 1_000)) - 1) * granularityS * 1_000;

/**
 * Values by the period.
 * @param points - in order; those of a series before `fromMs` only say from where the next one rose
 */
export function measuresOf(
  points: MeterPoint[],
  of: { method: Method; granularityS: number; fromMs: number },
): Measure[] {
  const { method, granularityS, fromMs } = of;
  const periods = new Map<number, number[]>();
  const previous = new Map<number, number>();
  for (const { series, t, v } of points) {
    const before = previous.get(series);
    previous.set(series, v);
    // The first of an epoch rose from zero, but nobody knows since when: it is no rate.
    if (t <= fromMs || (method.rate && before === undefined)) continue;
    const start = periodOf(t, granularityS);
    const value = method.rate ? v - (before ?? 0) : v;
    periods.set(start, [...(periods.get(start) ?? []), value]);
  }
  const starts = [...periods.keys()].sort((a, b) => a - b);
  return starts.map((start) => [start, granularityS, combine(method.of, periods.get(start) as number[])]);
}

/** Measures of several metrics as one, by the period. */
export function acrossMetrics(all: Measure[][], of: Aggregation): Measure[] {
  const periods = new Map<string, { startMs: number; granularityS: number; values: number[] }>();
  for (const [startMs, granularityS, value] of all.flat()) {
    const key = `${granularityS}/${startMs}`;
    const period = periods.get(key) ?? { startMs, granularityS, values: [] };
    period.values.push(value);
    periods.set(key, period);
  }
  return [...periods.values()]
    .sort((a, b) => b.granularityS - a.granularityS || a.startMs - b.startMs)
    .map(({ startMs, granularityS, values }) => [startMs, granularityS, combine(of, values)]);
}
