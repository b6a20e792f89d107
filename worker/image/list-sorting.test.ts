import { describe, expect, it } from 'vitest';
import { sortTerms } from './list-sorting.ts';

const terms = (query: string) =>
  sortTerms(new URLSearchParams(query)).map(({ key, direction }) => `${key}:${direction}`);

describe('sortTerms', () => {
  it.each([
    ['', ['created_at:desc', 'id:desc']],
    ['sort_dir=asc', ['created_at:asc', 'id:asc']],
    ['sort_key=name', ['name:desc', 'created_at:desc', 'id:desc']],
    ['sort_key=name&sort_key=size&sort_dir=asc', ['name:asc', 'size:asc', 'created_at:asc', 'id:asc']],
    ['sort_key=name&sort_dir=asc&sort_key=size&sort_dir=desc', ['name:asc', 'size:desc', 'created_at:desc', 'id:desc']],
    ['sort=name:asc,size', ['name:asc', 'size:desc', 'created_at:desc', 'id:desc']],
    ['sort=name:asc', ['name:asc', 'created_at:asc', 'id:asc']],
    ['sort=id:asc,created_at:desc', ['id:asc', 'created_at:desc']],
  ])('of %j', (query, expected) => {
    expect(terms(query)).toEqual(expected);
  });

  it.each([
    'sort_key=owner',
    'sort_key=__proto__',
    'sort_dir=up',
    'sort=name:up',
    'sort=',
    'sort=name&sort_key=size',
    'sort_key=name&sort_dir=asc&sort_dir=desc',
  ])('refuses %j', (query) => {
    expect(() => terms(query)).toThrow(expect.objectContaining({ status: 400 }));
  });
});
