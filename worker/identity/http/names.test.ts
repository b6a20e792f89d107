import { expect, test } from 'vitest';
import { requireMutable } from './names.ts';

const guarded = { id: 'r', options: { immutable: true } };

test.each<[string, { name?: string; options?: Record<string, unknown> } | undefined]>([
  ['a change', { name: 'x' }],
  ['a change with the lifting of the guard', { name: 'x', options: { immutable: false } }],
  ['keeping the guard', { options: { immutable: true } }],
  ['other options', { options: {} }],
  ['a deletion', undefined],
])('%s of what is immutable is refused', (_, change) => {
  expect(() => requireMutable('role', guarded, change)).toThrowError(
    expect.objectContaining({
      status: 403,
      message: `Unable to ${change ? 'update' : 'delete'} immutable role resource: \`r. Set resource option "immutable" to false first.`,
    }),
  );
});

test.each([false, null])('the guard can be lifted alone: %j', (immutable) => {
  expect(() => requireMutable('role', guarded, { options: { immutable } })).not.toThrow();
});

test('what is not guarded can be changed and deleted', () => {
  expect(() => requireMutable('role', { id: 'r', options: {} }, { options: {} })).not.toThrow();
  expect(() => requireMutable('role', { id: 'r', options: { immutable: false } })).not.toThrow();
});
