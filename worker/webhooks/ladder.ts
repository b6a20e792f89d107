import { JITTER, RETRY_AFTER_MS_MAX, RETRY_DELAYS_MS, THROTTLE_MS } from './limits.ts';

/** Answers that say that the receiver has too much to do. */
const THROTTLED = new Set([429, 502, 503, 504]);

/** What came of an attempt, as far as it decides on the next. */
export interface Outcome {
  /** Of the answer; null where none came. */
  status: number | null;
  /** The answer's header, as it was sent. */
  retryAfter: string | null;
}

/**
 * When a delivery that failed is tried again.
 * @param tries - attempts that failed, this one included
 * @param chance - from 0 up to 1, for the jitter
 * @returns null when it is given up
 */
export function nextAttemptMs(of: { tries: number; nowMs: number; chance: number; restMs: number }): number | null {
  const delayMs = RETRY_DELAYS_MS[of.tries];
  if (delayMs === undefined) return null;
  return of.nowMs + Math.max(of.restMs, Math.round(delayMs * (1 + JITTER * of.chance)));
}

/** How long nothing more may be sent to an endpoint that answered so; 0 for no rest. */
export function restMs({ status, retryAfter }: Outcome, nowMs: number): number {
  if (status === null || !THROTTLED.has(status)) return 0;
  return Math.max(THROTTLE_MS, Math.min(RETRY_AFTER_MS_MAX, retryAfterMs(retryAfter, nowMs)));
}

/** The header's seconds or date from now; 0 for what is neither, or past. */
function retryAfterMs(header: string | null, nowMs: number): number {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const atMs = /^[A-Z][a-z]{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? 0 : Math.max(0, atMs - nowMs);
}

/** A number from 0 up to 1 of a random identifier's digits. */
export const chanceOf = (hex: string): number => Number.parseInt(hex.slice(0, 8), 16) / 2 ** 32;
