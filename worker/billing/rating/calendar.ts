/** Months, days and hours of UTC: what invoices and intervals are cut by. All are half open, [start, end). */

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export type Interval = 'hourly' | 'daily' | 'monthly';

const monthAt = (atMs: number, later: number): number => {
  const at = new Date(atMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + later, 1);
};

/** The first moment of a moment's month. */
export const monthStart = (atMs: number): number => monthAt(atMs, 0);
/** The first moment after it. */
export const monthEnd = (atMs: number): number => monthAt(atMs, 1);

/** The months that [fromMs, toMs) touches, by their first moments. */
export function monthsOf(fromMs: number, toMs: number): number[] {
  const months: number[] = [];
  for (let at = monthStart(fromMs); at < toMs; at = monthEnd(at)) months.push(at);
  return months;
}

export const floorHour = (atMs: number): number => Math.floor(atMs / HOUR_MS) * HOUR_MS;
export const ceilHour = (atMs: number): number => Math.ceil(atMs / HOUR_MS) * HOUR_MS;

/** The last boundary of an interval at or before a moment. */
export function intervalStart(interval: Interval, atMs: number): number {
  if (interval === 'monthly') return monthStart(atMs);
  const length = interval === 'daily' ? DAY_MS : HOUR_MS;
  return Math.floor(atMs / length) * length;
}

/** The first boundary after a moment. */
export function intervalEnd(interval: Interval, atMs: number): number {
  if (interval === 'monthly') return monthEnd(atMs);
  return intervalStart(interval, atMs) + (interval === 'daily' ? DAY_MS : HOUR_MS);
}

/** A month as people write it: `2026-11`. */
export const monthName = (atMs: number): string => new Date(atMs).toISOString().slice(0, 7);
