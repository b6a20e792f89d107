/** Months, days and hours of UTC: what invoices and intervals are cut by. All are half open, [start, end). */

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export type Interval = 'hourly' | 'daily' | 'monthly';

/** The month that was asked for last: the moments that one line is rated at are nearly all of it. */
let month = { from: 0, to: 0 };

function monthOf(atMs: number): typeof month {
  if (atMs >= month.from && atMs < month.to) return month;
  const at = new Date(atMs);
  const [year, number] = [at.getUTCFullYear(), at.getUTCMonth()];
  month = { from: Date.UTC(year, number, 1), to: Date.UTC(year, number + 1, 1) };
  return month;
}

/** The first moment of a moment's month. */
export const monthStart = (atMs: number): number => monthOf(atMs).from;
/** The first moment after it. */
export const monthEnd = (atMs: number): number => monthOf(atMs).to;

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
