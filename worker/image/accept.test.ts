import { describe, expect, it } from 'vitest';
import { preferredType } from './accept.ts';

const offers = ['text/html', 'application/json'] as const;

describe('preferredType', () => {
  it.each([
    [undefined, 'text/html'],
    ['*/*', 'text/html'],
    ['application/json', 'application/json'],
    ['application/json, text/html;q=0.5', 'application/json'],
    ['text/*;q=0.1, */*;q=0.9', 'application/json'],
    ['*/*, text/html;q=0', 'application/json'],
    ['', undefined],
    ['image/png', undefined],
    ['text/html;q=nonsense', undefined],
  ])('of Accept %j is %j', (accept, expected) => {
    expect(preferredType(accept, offers)).toBe(expected);
  });
});
