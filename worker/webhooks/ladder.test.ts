import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chanceOf, nextAttemptMs, restMs } from './ladder.ts';
import { JITTER, RETRY_AFTER_MS_MAX, RETRY_DELAYS_MS, THROTTLE_MS } from './limits.ts';

const NOW = Date.UTC(2026, 10, 28, 9);
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const THROTTLED = [429, 502, 503, 504];

describe('the ladder', () => {
  it('is the one of the standard: ten attempts in a bit more than three days', () => {
    const seconds = [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    expect(RETRY_DELAYS_MS).toEqual(seconds.map((s) => s * 1000));
  });

  it('waits at least what is published and at most the jitter longer, and ends', () => {
    fc.assert(
      fc.property(
        fc.array(chance, { minLength: 10, maxLength: 10 }),
        fc.integer({ min: 0, max: NOW }),
        (chances, start) => {
          let atMs = start;
          let tries = 0;
          for (const one of chances) {
            tries += 1;
            const next = nextAttemptMs({ tries, nowMs: atMs, chance: one, restMs: 0 });
            if (next === null) break;
            const delay = RETRY_DELAYS_MS[tries] ?? Number.NaN;
            expect(next - atMs).toBeGreaterThanOrEqual(delay);
            expect(next - atMs).toBeLessThanOrEqual(delay * (1 + JITTER) + 1);
            atMs = next;
          }
          expect(tries).toBe(RETRY_DELAYS_MS.length);
        },
      ),
    );
  });

  it('never goes before the rest that was asked for, and never on when it is over', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        chance,
        fc.integer({ min: 0, max: RETRY_AFTER_MS_MAX }),
        (tries, c, rest) => {
          const next = nextAttemptMs({ tries, nowMs: NOW, chance: c, restMs: rest });
          if (tries >= RETRY_DELAYS_MS.length) expect(next).toBeNull();
          else expect(next).toBeGreaterThanOrEqual(NOW + rest);
        },
      ),
    );
  });

  it('has its chance from an identifier', () => {
    expect(chanceOf('00000000')).toBe(0);
    expect(chanceOf('ffffffff')).toBeLessThan(1);
    expect(chanceOf('80000000')).toBe(0.5);
  });
});

describe('the rest that an answer asks for', () => {
  it.each(THROTTLED)('is obeyed after %i, in seconds or as a date', (status) => {
    expect(restMs({ status, retryAfter: '120' }, NOW)).toBe(120_000);
    expect(restMs({ status, retryAfter: new Date(NOW + 300_000).toUTCString() }, NOW)).toBe(300_000);
  });

  it('is never shorter than a moment or longer than a day, whatever the header says', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...THROTTLED),
        fc.oneof(fc.string(), fc.integer().map(String)),
        (status, retryAfter) => {
          const rest = restMs({ status, retryAfter }, NOW);
          expect(rest).toBeGreaterThanOrEqual(THROTTLE_MS);
          expect(rest).toBeLessThanOrEqual(RETRY_AFTER_MS_MAX);
        },
      ),
    );
    expect(restMs({ status: 503, retryAfter: null }, NOW)).toBe(THROTTLE_MS);
    expect(restMs({ status: 503, retryAfter: '999999999' }, NOW)).toBe(RETRY_AFTER_MS_MAX);
  });

  it.each([200, 302, 400, 404, 410, 500, null])('is none after %s', (status) => {
    expect(restMs({ status, retryAfter: '120' }, NOW)).toBe(0);
  });
});
