import { gt, type SQL } from 'drizzle-orm';
import type { AnySQLiteColumn } from 'drizzle-orm/sqlite-core';
import type { AppContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';

/** Rows of one page, asked for or not. */
export const PAGE_ROWS_MAX = 1_000;

/** Which part of a list is wanted: `limit` rows after the one whose id is `marker`. */
export interface Page {
  limit: number;
  marker?: string;
}

/** @throws ApiError 400 for a limit that is not a positive number */
export function pageOf(query: URLSearchParams): Page {
  const asked = query.get('limit');
  const marker = query.get('marker');
  if (asked !== null && !/^[1-9]\d{0,9}$/.test(asked))
    throw badRequest(`limit must be a positive number, not ${asked}.`);
  return { limit: Math.min(Number(asked ?? PAGE_ROWS_MAX), PAGE_ROWS_MAX), ...(marker ? { marker } : {}) };
}

/** The condition for rows after the marker; lists are ordered by id. */
export const afterMarker = (id: AnySQLiteColumn, { marker }: Page): SQL | undefined =>
  marker === undefined ? undefined : gt(id, marker);

/** The query as the client wrote it. */
export const queryOf = (c: AppContext): URLSearchParams => new URL(c.req.url).searchParams;

/** The URL of this request as the client knows it. */
export function selfUrl(c: AppContext, query?: URLSearchParams): string {
  const url = new URL(c.req.url);
  const search = query ? `?${query}` : url.search;
  return `${c.env.PUBLIC_URL || url.origin}${url.pathname}${search}`;
}

/**
 * A list as Keystone answers it.
 * @param rows - up to one more than the page takes, which tells that there is a next page
 */
export function renderCollection<Row extends { id: string }, View>(
  c: AppContext,
  name: string,
  rows: readonly Row[],
  page: Page,
  view: (row: Row) => View,
): Response {
  const shown = rows.slice(0, page.limit);
  const truncated = rows.length > page.limit;
  const query = queryOf(c);
  query.set('marker', shown.at(-1)?.id ?? '');
  query.set('limit', String(page.limit));
  return c.json({
    [name]: shown.map(view),
    links: { next: truncated ? selfUrl(c, query) : null, self: selfUrl(c), previous: null },
    ...(truncated ? { truncated: true } : {}),
  });
}

/** A list that is never paged. */
export function renderWhole(c: AppContext, name: string, views: readonly unknown[]): Response {
  return c.json({ [name]: views, links: { next: null, self: selfUrl(c), previous: null } });
}
