import { expect, test } from 'vitest';
import { federatedUserId, quoted } from './unique-id.ts';

test.each([
  ['ann', 'ann'],
  ['a b/ü(1)*~', 'a%20b/%C3%BC%281%29%2A~'],
  ["x@y.z:!'", 'x%40y.z%3A%21%27'],
])('%s is kept as Keystone keeps it', (id, kept) => {
  expect(quoted(id)).toBe(kept);
});

test('a user has the id that Keystone would give', () => {
  expect(federatedUserId('default', 'ann')).toBe('a2d27fc74a2f61b3a64815e71dad383e0c9e2d6e5678a4a385ed076e6d0041d8');
});
