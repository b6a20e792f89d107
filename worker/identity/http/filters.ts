import { eq, type SQL, sql } from 'drizzle-orm';
import type { AnySQLiteColumn } from 'drizzle-orm/sqlite-core';

const FALSE_WORDS = ['0', 'f', 'false', 'off', 'n', 'no'];

/** How Keystone reads a flag in a filter: anything but a word for no is yes, nothing at all too. */
export const isTrue = (text: string): boolean => !FALSE_WORDS.includes(text.trim().toLowerCase());

/** How Keystone reads a flag that changes what a list holds: there, and not `0`. */
export const flag = (query: URLSearchParams, name: string): boolean => query.has(name) && query.get(name) !== '0';

/** The condition of an `enabled` in the query, if there is one. */
export function enabledFilter(query: URLSearchParams, column: AnySQLiteColumn): SQL | undefined {
  const value = query.get('enabled');
  return value === null ? undefined : eq(column, isTrue(value));
}

/**
 * The conditions of a text in the query: `name=x`, and the inexact `name__contains`, `name__startswith`,
 * `name__endswith`, each with an `i` before the comparison for any case.
 */
export function textFilters(query: URLSearchParams, name: string, column: AnySQLiteColumn | SQL): SQL[] {
  const found: SQL[] = [];
  for (const [key, value] of query) {
    if (key === name) found.push(sql`${column} = ${value}`);
    const match = new RegExp(`^${name}__(i?)(contains|startswith|endswith)$`).exec(key);
    if (!match) continue;
    const text = match[1] ? sql`lower(${column})` : sql`${column}`;
    const wanted = match[1] ? value.toLowerCase() : value;
    if (match[2] === 'contains') found.push(sql`instr(${text}, ${wanted}) > 0`);
    else if (match[2] === 'startswith') found.push(sql`substr(${text}, 1, length(${wanted})) = ${wanted}`);
    else found.push(sql`(${wanted} = '' OR substr(${text}, -length(${wanted})) = ${wanted})`);
  }
  return found;
}
