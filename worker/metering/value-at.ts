import { SAMPLE_EVERY_MS } from '../../shared/meters.ts';
import type { Point } from './book.ts';

/**
 * What a counter stood at, at a moment between two samples: the rise is divided by time, in whole numbers. Whatever is cut
 * in pieces this way, the pieces amount to the whole.
 */
export function between(a: Point, b: Point, atMs: number): number {
  if (atMs <= a.t) return a.v;
  if (atMs >= b.t) return b.v;
  return a.v + Number((BigInt(b.v - a.v) * BigInt(atMs - a.t)) / BigInt(b.t - a.t));
}

/**
 * What a counter stood at, at a moment.
 * @param before - the last sample at or before it
 * @param after - the first sample after it
 * @param base - the value before the first sample, which speaks for as long as there is between two
 * @returns null where there is no sample at all
 */
export function standing(atMs: number, before: Point | null, after: Point | null, base: number): number | null {
  if (before) return after ? between(before, after, atMs) : before.v;
  return after ? between({ t: after.t - SAMPLE_EVERY_MS, v: base }, after, atMs) : null;
}
