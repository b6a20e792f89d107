import { expect, it } from 'vitest';
import { parseRetryAfter } from './transport.ts';

it('reads Retry-After as seconds or as a date', () => {
  expect(parseRetryAfter('120', 0)).toBe(120_000);
  expect(parseRetryAfter('Thu, 01 Jan 1970 00:01:00 GMT', 20_000)).toBe(40_000);
  expect(parseRetryAfter('Thu, 01 Jan 1970 00:00:00 GMT', 20_000)).toBe(0);
  for (const nonsense of ['soon', '', null, undefined, '-5x']) expect(parseRetryAfter(nonsense, 0)).toBeUndefined();
});
