import { expect, test } from 'vitest';
import { impliedBy, withImplied } from './implied.ts';

const known = ['manager', 'member', 'reader'].map((name) => ({ id: `id-${name}`, name }));
const namesOf = (held: string[]) =>
  withImplied(
    held.map((name) => ({ id: `id-${name}`, name })),
    known,
  ).map(({ name }) => name);

test.each([
  ['admin', ['manager', 'member', 'reader']],
  ['manager', ['member', 'reader']],
  ['member', ['reader']],
  ['reader', []],
  ['service', []],
  ['anything', []],
])('%s brings %j', (name, implied) => {
  expect(impliedBy(name)).toEqual(implied);
});

test('each role comes once, whatever is held', () => {
  expect(namesOf(['admin'])).toEqual(['admin', 'manager', 'member', 'reader']);
  expect(namesOf(['member', 'reader'])).toEqual(['member', 'reader']);
  expect(namesOf(['service', 'manager', 'member'])).toEqual(['service', 'manager', 'member', 'reader']);
  expect(namesOf([])).toEqual([]);
});
