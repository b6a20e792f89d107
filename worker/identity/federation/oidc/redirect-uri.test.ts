import { expect, test } from 'vitest';
import type { Context } from '../../../http/context.ts';
import { redirectUri } from './redirect-uri.ts';

test.each([
  ['https://cloud.example.org', 'https://cloud.example.org/identity/v3/redirect_uri'],
  ['https://cloud.example.org/r/north', 'https://cloud.example.org/identity/v3/redirect_uri'],
  ['https://example.org/cloud', 'https://example.org/cloud/identity/v3/redirect_uri'],
])('a cloud at %s has one place to come back to', (baseUrl, expected) => {
  expect(redirectUri({ baseUrl } as Context)).toBe(expected);
});
