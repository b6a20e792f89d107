import { badRequest } from '../../http/errors.ts';
import type { Link, Links } from './links.ts';
import type { Microversion } from './microversion.ts';

/** Objects in one answer, at most and by default. */
export const PAGE_MAX = 1000;

export interface Page {
  limit: number;
  marker: string | undefined;
}

/** All values of a query by name: Nova's parameters may come more than once. */
export type Query = Readonly<Record<string, string[]>>;

/** The last value of a parameter, which is the one that Nova takes. */
export const last = (query: Query, name: string): string | undefined => query[name]?.at(-1);

/**
 * Parameters that are not known are passed over, and refused from 2.75 on, or from another version.
 * @throws ApiError 400
 */
export function refuseUnknown(
  query: Query,
  known: readonly string[],
  version: Microversion,
  since: Microversion = 75,
): void {
  const unknown = Object.keys(query).filter((name) => !known.includes(name));
  if (version < since || unknown.length === 0) return;
  const names = unknown.map((name) => `'${name}'`).join(', ');
  const verb = unknown.length === 1 ? 'was' : 'were';
  throw badRequest(`Additional properties are not allowed (${names} ${verb} unexpected)`);
}

/** A number of at least 0 in a query; undefined where there is none. @throws ApiError 400 for anything else */
export function numberIn(query: Query, name: 'limit' | 'offset'): number | undefined {
  for (const text of query[name] ?? []) {
    if (!/^[0-9]+$/.test(text)) {
      throw badRequest(
        `Invalid input for query parameters ${name}. Value: ${text}. '${text}' does not match '^[0-9]*$'`,
      );
    }
  }
  const text = last(query, name);
  return text === undefined ? undefined : Number(text);
}

/** The page that a query asks for. @throws ApiError 400 for a limit that is not a whole number of at least 0 */
export function pageOf(query: Query): Page {
  return { limit: Math.min(PAGE_MAX, numberIn(query, 'limit') ?? PAGE_MAX), marker: last(query, 'marker') };
}

export const markerNotFound = (marker: string) => badRequest(`marker [${marker}] not found`);

/** The link to what follows, where the page is full. */
export function nextLink(
  links: Links,
  collection: string,
  query: Query,
  page: Page,
  ids: string[],
): Link[] | undefined {
  const lastId = ids.at(-1);
  if (page.limit === 0 || ids.length < page.limit || lastId === undefined) return undefined;
  const parameters = new URLSearchParams();
  for (const name of Object.keys({ ...query, marker: [] }).sort()) {
    if (name === 'marker') parameters.append(name, lastId);
    else for (const value of query[name] ?? []) parameters.append(name, value);
  }
  return [{ rel: 'next', href: `${links.self}/${collection}?${parameters}` }];
}
