import { and, asc, desc, type SQL, sql } from 'drizzle-orm';
import { badRequest } from '../../http/errors.ts';
import type { Filter } from './filters.ts';

/** Items of a page where the client names no limit, and the most it may name. */
export const PAGE_MAX = 1000;
/** Values that one query may filter by, and keys it may sort by. */
const FILTER_VALUES_MAX = 1000;
const SORT_KEYS_MAX = 8;

/** What a collection can be filtered and sorted by. */
export interface Listing {
  /** The table's name, for the marker's row. */
  table: string;
  filters: Readonly<Record<string, Filter>>;
  /** Names of sortable attributes with their column, never null. */
  sortKeys: Readonly<Record<string, SQL>>;
}

/** A list request, parsed. */
export interface ListQuery {
  where: SQL | undefined;
  orderBy: SQL[];
  limit: number;
  /** Rows come backwards, from before the marker. */
  reverse: boolean;
  fields: string[];
  /** Whether the client asked for pages: then answers carry links. */
  paged: boolean;
}

const PAGING = new Set(['fields', 'sort_key', 'sort_dir', 'limit', 'marker', 'page_reverse']);

/**
 * Parses a list's query: filters (a repeated key is any of its values), `fields`, `sort_key` and `sort_dir` in pairs,
 * `limit`, `marker` (an id), `page_reverse`.
 * @throws ApiError 400 for an attribute that cannot filter or sort, a value it cannot have, or a malformed limit
 */
export function parseListQuery(listing: Listing, params: URLSearchParams): ListQuery {
  const reverse = params.get('page_reverse')?.toLowerCase() === 'true';
  const sorts = parseSorts(listing, params).map((sort) => ({ ...sort, down: sort.down !== reverse }));
  const limit = parseLimit(params);
  const marker = params.get('marker');
  return {
    where: and(...parseFilters(listing, params), marker && limit ? after(listing, sorts, marker) : undefined),
    orderBy: sorts.map(({ key, down }) => (down ? desc(key) : asc(key))),
    limit: limit || PAGE_MAX,
    reverse,
    fields: params.getAll('fields').filter(Boolean),
    paged: limit > 0,
  };
}

function parseFilters(listing: Listing, params: URLSearchParams): SQL[] {
  const keys = [...new Set(params.keys())].filter((key) => !PAGING.has(key));
  const invalid = keys.filter((key) => !Object.hasOwn(listing.filters, key));
  if (invalid.length > 0) {
    throw badRequest(
      `[${invalid.map((key) => `'${key.slice(0, 64)}'`).join(', ')}] is invalid attribute for filtering`,
    );
  }
  return keys.flatMap((key) => {
    const values = params.getAll(key);
    if (values.length > FILTER_VALUES_MAX) throw badRequest(`More than ${FILTER_VALUES_MAX} values for ${key}`);
    return listing.filters[key]?.(values) ?? [];
  });
}

interface Sort {
  key: SQL;
  down: boolean;
}

function parseSorts(listing: Listing, params: URLSearchParams): Sort[] {
  const keys = params.getAll('sort_key').filter(Boolean);
  const directions = params.getAll('sort_dir').filter(Boolean);
  if (keys.length !== directions.length) throw badRequest('The number of sort_keys and sort_dirs must be same');
  if (keys.length > SORT_KEYS_MAX) throw badRequest(`More than ${SORT_KEYS_MAX} sort_keys`);
  const absent = keys.filter((key) => !Object.hasOwn(listing.sortKeys, key));
  if (absent.length > 0) throw badRequest(`[${quoted(absent)}] is invalid attribute for sort_keys`);
  const invalid = directions.filter((direction) => direction !== 'asc' && direction !== 'desc');
  if (invalid.length > 0) {
    throw badRequest(`[${quoted(invalid)}] is invalid value for sort_dirs, valid value is 'asc' and 'desc'`);
  }
  const asked = keys.map((key, index) => ({
    key: listing.sortKeys[key] ?? sql`id`,
    down: directions[index] === 'desc',
  }));
  const id = listing.sortKeys.id ?? sql`id`;
  return keys.includes('id') ? asked : [...asked, { key: id, down: false }];
}

const quoted = (words: string[]) => words.map((word) => `'${word.slice(0, 64)}'`).join(', ');

function parseLimit(params: URLSearchParams): number {
  const text = params.get('limit') ?? '0';
  if (!/^\d{1,9}$/.test(text)) {
    throw badRequest(
      `Bad limit request: Limit must be an integer 0 or greater and not '${text.slice(0, 64)}'.`,
      'BadRequest',
    );
  }
  return Math.min(Number(text), PAGE_MAX);
}

/** Rows that come after the marker's in this order: by the first key, or equal there and by the second, and so on. */
function after(listing: Listing, sorts: Sort[], marker: string): SQL {
  const at = (key: SQL) =>
    sql`(SELECT ${key} FROM ${sql.identifier(listing.table)} WHERE ${sql.identifier(listing.table)}.id = ${marker})`;
  const steps = sorts.map(({ key, down }, index) => {
    const equal = sorts.slice(0, index).map((before) => sql`${before.key} = ${at(before.key)}`);
    return and(...equal, down ? sql`${key} < ${at(key)}` : sql`${key} > ${at(key)}`) ?? sql`1`;
  });
  return sql`(${sql.join(steps, sql` OR `)})`;
}

/** The links of a page, as Neutron gives them: to the next unless the last page is short, and to the previous. */
export function pageLinks(
  url: string,
  query: ListQuery,
  ids: { first: string | undefined; last: string | undefined; count: number },
): { rel: string; href: string }[] {
  const full = ids.count >= query.limit;
  if (!query.paged && !full) return [];
  const link = (rel: string, marker: string | undefined, reverse: boolean) => {
    const target = new URL(url);
    target.searchParams.delete('marker');
    target.searchParams.delete('page_reverse');
    if (!query.paged) target.searchParams.set('limit', String(query.limit));
    if (marker !== undefined) target.searchParams.set('marker', marker);
    if (reverse) target.searchParams.set('page_reverse', 'True');
    return { rel, href: target.href };
  };
  return [
    ...(full || query.reverse ? [link('next', ids.last, false)] : []),
    ...(full || !query.reverse ? [link('previous', ids.first, true)] : []),
  ];
}

/** A view with only the fields asked for; all where none is. */
export function onlyFields(view: object, fields: string[]): object {
  if (fields.length === 0) return view;
  return Object.fromEntries(Object.entries(view).filter(([name]) => fields.includes(name)));
}
