import { badRequest } from '../../http/errors.ts';

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const RELATIVE = /^([+-]?)(\d{1,9})\s*(s|m|h|d|w)[a-z]*$/;
const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?(Z|[+-]\d{2}:?\d{2})?$/;

/**
 * A moment as Gnocchi takes one: ISO 8601 (UTC where it says no zone), seconds since 1970, or a time from now (`-1h`).
 * @throws ApiError 400
 */
export function parseMoment(text: string, nowMs: number): number {
  const relative = RELATIVE.exec(text);
  if (relative?.[3]) {
    const byMs = Number(relative[2]) * (UNITS_MS[relative[3]] ?? 0);
    return relative[1] === '-' ? nowMs - byMs : nowMs + byMs;
  }
  if (/^\d+(\.\d+)?$/.test(text)) return Math.floor(Number(text) * 1_000);
  const iso = ISO.exec(text);
  const atMs = iso ? Date.parse(`${text.replace(' ', 'T')}${iso[1] || text.length <= 10 ? '' : 'Z'}`) : Number.NaN;
  if (Number.isNaN(atMs)) throw badRequest(`Invalid input: '${text.slice(0, 64)}' is no time.`);
  return atMs;
}
