import type { Meter } from '../../shared/meters.ts';
import { METERS, SAMPLE_EVERY_MS } from '../../shared/meters.ts';
import type { Point } from './book.ts';
import { GAUGE_MAX, risePerMsMax } from './limits.ts';

/** Why a value, or all of a batch, is not counted. */
export type Reason =
  | 'clock-ahead'
  | 'too-old'
  | 'closed'
  | 'unknown-meter'
  | 'not-its-own'
  | 'negative'
  | 'too-large'
  | 'fell'
  | 'jumped'
  | 'contradicts'
  | 'too-many';

/** The meter of a name, where it is of this kind of resource. */
export function meterOf(name: string, type: string): Meter | null {
  if (!Object.hasOwn(METERS, name)) return null;
  return METERS[name as Meter].of === type ? (name as Meter) : null;
}

/**
 * Judges a counter's value by the samples around it.
 * @param of.before - the last one before it; null where it is the first of its epoch
 * @param of.bornMs - when the resource was made: nothing is counted from before
 */
export function judgeCounter(
  meter: Meter,
  point: Point,
  of: { before: Point | null; after: Point | null; refusedFrom: number | null; bornMs: number },
): Reason | null {
  const { before, after, refusedFrom, bornMs } = of;
  if (point.v < 0) return 'negative';
  if (refusedFrom !== null && point.v >= refusedFrom) return 'jumped';
  if (before && point.v < before.v) return 'fell';
  if (after && point.v > after.v) return 'fell';
  const sinceMs = point.t - (before?.t ?? bornMs) + SAMPLE_EVERY_MS;
  const unit = METERS[meter].unit as Parameters<typeof risePerMsMax>[0];
  return point.v - (before?.v ?? 0) > Math.max(0, sinceMs) * risePerMsMax(unit) ? 'jumped' : null;
}

export function judgeGauge(value: number): Reason | null {
  if (value < 0) return 'negative';
  return value > GAUGE_MAX ? 'too-large' : null;
}
