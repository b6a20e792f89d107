import { and, not, or, type SQL, sql } from 'drizzle-orm';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';
import type { Filter } from '../api/filters.ts';

/** Tags of a filter: values are lists, with commas between. */
const named = (values: string[]): string[] => values.flatMap((value) => value.split(','));

const has = (column: SQLiteColumn, tag: string): SQL =>
  sql`EXISTS (SELECT 1 FROM json_each(${column}) tag WHERE tag.value = ${tag})`;

/** The four filters that tags have: all of them, any of them, not all, not any. */
export function byTags(column: SQLiteColumn): Readonly<Record<string, Filter>> {
  const all: Filter = (values) => and(...named(values).map((tag) => has(column, tag))) ?? sql`1`;
  const any: Filter = (values) => or(...named(values).map((tag) => has(column, tag))) ?? sql`0`;
  return {
    tags: all,
    'tags-any': any,
    'not-tags': (values) => not(all(values)),
    'not-tags-any': (values) => not(any(values)),
  };
}
