import { WINDOW_MS } from '../../../shared/meters.ts';

/** A row of the spool, but for what is in it. Rows of one moment have one time and follow each other. */
export interface Row {
  n: number;
  atMs: number;
}

/** Rows that go, and the rows of the next moment that stays, which take over what only they tell. */
export interface Merge {
  gone: number[];
  into: number[];
}

/** What is left of the oldest samples, ever less: a sample a minute, ten minutes, an hour, and at last two in all. */
export const THINNING_MS = [60_000, 600_000, WINDOW_MS, Number.POSITIVE_INFINITY];

/**
 * What can go of rows, oldest first, when one moment in `everyMs` is enough. The first moment of each such time stays, so that
 * usage is known at the bounds of hours as long as that can be; and so do the very first and the very last.
 */
export function planThinning(rows: readonly Row[], everyMs: number): Merge[] {
  const stays = momentsThatStay(rows, (atMs) => Math.floor(atMs / everyMs));
  return mergesOf(rows, (row) => stays.has(row.atMs));
}

/** What goes of rows, oldest first, that are too old: all in the first that is not, or in the newest. */
export function planExpiry(rows: readonly Row[], beforeMs: number): Merge[] {
  const lastMs = rows.at(-1)?.atMs;
  return mergesOf(rows, (row) => row.atMs >= beforeMs || row.atMs === lastMs);
}

function momentsThatStay(rows: readonly Row[], timeOf: (atMs: number) => number): Set<number> {
  const stays = new Set<number>();
  let before: number | null = null;
  for (const { atMs } of rows) {
    const time = timeOf(atMs);
    if (time !== before) stays.add(atMs);
    before = time;
  }
  const last = rows.at(-1);
  return last ? stays.add(last.atMs) : stays;
}

function mergesOf(rows: readonly Row[], stays: (row: Row) => boolean): Merge[] {
  const merges: (Merge & { atMs: number })[] = [];
  let gone: number[] = [];
  for (const row of rows) {
    const last = merges.at(-1);
    if (!stays(row)) gone.push(row.n);
    else if (gone.length === 0 && last?.atMs === row.atMs) last.into.push(row.n);
    else {
      merges.push({ atMs: row.atMs, gone, into: [row.n] });
      gone = [];
    }
  }
  return merges.flatMap(({ gone, into }) => (gone.length > 0 ? [{ gone, into }] : []));
}
