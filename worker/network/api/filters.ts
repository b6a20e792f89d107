import { inArray, or, type SQL, sql } from 'drizzle-orm';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';
import { boolean, integer } from './values.ts';

/** Turns the values of a query's key into a condition. @throws ApiError 400 for a value it cannot have */
export type Filter = (values: string[]) => SQL;

/** Any of these texts. */
export const byText =
  (column: SQLiteColumn | SQL): Filter =>
  (values) =>
    inArray(sql`${column}`, values);

export const byInteger =
  (column: SQLiteColumn): Filter =>
  (values) =>
    inArray(column, values.map(integer));

export const byBoolean =
  (column: SQLiteColumn | SQL): Filter =>
  (values) =>
    inArray(sql`${column}`, [...new Set(values.map(boolean))].map(Number));

/** An attribute that has one value everywhere. */
export const byConstant =
  (constant: string | boolean): Filter =>
  (values) =>
    values.some((value) => (typeof constant === 'boolean' ? boolean(value) : value) === constant) ? sql`1` : sql`0`;

/** Any of what the values amount to. */
export const byAny =
  (condition: (value: string) => SQL): Filter =>
  (values) =>
    or(...values.map(condition)) ?? sql`0`;
