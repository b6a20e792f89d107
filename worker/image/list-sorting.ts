import { type SQL, sql } from 'drizzle-orm';
import { badRequest } from '../http/errors.ts';

type Direction = 'asc' | 'desc';
export interface SortTerm {
  key: keyof typeof SORT_EXPRESSIONS;
  direction: Direction;
}

/** What a key sorts by, in the table named; null sorts as Glance's marker comparison takes it: empty, or zero. */
export const SORT_EXPRESSIONS = {
  name: (table: string) => `COALESCE(${table}.name, '')`,
  status: (table: string) => `${table}.status`,
  container_format: (table: string) => `COALESCE(${table}.container_format, '')`,
  disk_format: (table: string) => `COALESCE(${table}.disk_format, '')`,
  size: (table: string) => `COALESCE(${table}.size_bytes, 0)`,
  id: (table: string) => `${table}.id`,
  created_at: (table: string) => `${table}.created_at_ms`,
  updated_at: (table: string) => `${table}.updated_at_ms`,
} as const;
const DEFAULT_DIRECTION: Direction = 'desc';

/**
 * The order that a list request asks for: `sort=name:asc,size` or `sort_key=name&sort_dir=asc`, made unique by creation
 * and id.
 * @throws ApiError 400
 */
export function sortTerms(query: URLSearchParams): SortTerm[] {
  const { keys, directions } = query.has('sort') ? newSyntax(query) : classicSyntax(query);
  const [only] = directions;
  if (directions.length > 1 && directions.length !== keys.length) {
    throw badRequest('Number of sort dirs does not match the number of sort keys');
  }
  const fallback = directions.length === 1 && only ? only : DEFAULT_DIRECTION;
  const terms = keys.map((key, at) => ({ key, direction: directions[at] ?? fallback }));
  for (const key of ['created_at', 'id'] as const) {
    if (!keys.includes(key)) terms.push({ key, direction: fallback });
  }
  return terms;
}

function newSyntax(query: URLSearchParams) {
  if (query.has('sort_key') || query.has('sort_dir')) {
    throw badRequest('Old and new sorting syntax cannot be combined');
  }
  const terms = (query.get('sort') ?? '')
    .trim()
    .split(',')
    .map((term) => term.split(':'));
  return {
    keys: terms.map(([key]) => sortKey(key ?? '')),
    directions: terms.map(([, direction]) => sortDirection(direction || DEFAULT_DIRECTION)),
  };
}

function classicSyntax(query: URLSearchParams) {
  const keys = query.getAll('sort_key').map(sortKey);
  return {
    keys: keys.length > 0 ? keys : [sortKey('created_at')],
    directions: query.getAll('sort_dir').map(sortDirection),
  };
}

function sortKey(text: string): SortTerm['key'] {
  const key = text.trim();
  if (!Object.hasOwn(SORT_EXPRESSIONS, key)) {
    const available = Object.keys(SORT_EXPRESSIONS).join(', ');
    throw badRequest(`Invalid sort key: ${key}. It must be one of the following: ${available}.`);
  }
  return key as SortTerm['key'];
}

function sortDirection(text: string): Direction {
  const direction = text.trim();
  if (direction !== 'asc' && direction !== 'desc') throw badRequest(`Invalid sort direction: ${direction}`);
  return direction;
}

/** `ORDER BY` of the table `images`. */
export function orderOf(terms: SortTerm[]): SQL {
  return sql.raw(terms.map(({ key, direction }) => `${SORT_EXPRESSIONS[key]('images')} ${direction}`).join(', '));
}

/** Holds for the images that follow the marker in that order. */
export function afterMarker(terms: SortTerm[], markerId: string): SQL {
  const [first] = terms;
  const oneWay = terms.every(({ direction }) => direction === first?.direction);
  return oneWay ? afterAll(terms, markerId, first?.direction ?? DEFAULT_DIRECTION) : afterEach(terms, markerId);
}

/** All keys go one way: compared as one, which an index serves. */
function afterAll(terms: SortTerm[], markerId: string, direction: Direction): SQL {
  const keys = (table: string) => sql.raw(terms.map(({ key }) => SORT_EXPRESSIONS[key](table)).join(', '));
  return sql`(${keys('images')}) ${sql.raw(direction === 'asc' ? '>' : '<')}
    (SELECT ${keys('marker')} FROM images AS marker WHERE marker.id = ${markerId})`;
}

function afterEach(terms: SortTerm[], markerId: string): SQL {
  const ofMarker = (key: SortTerm['key']) =>
    sql`(SELECT ${sql.raw(SORT_EXPRESSIONS[key]('marker'))} FROM images AS marker WHERE marker.id = ${markerId})`;
  const compare = (key: SortTerm['key'], operator: string) =>
    sql`${sql.raw(`${SORT_EXPRESSIONS[key]('images')} ${operator}`)} ${ofMarker(key)}`;
  const alternatives = terms.map(({ key, direction }, at) => {
    const equal = terms.slice(0, at).map((before) => compare(before.key, '='));
    return sql`(${sql.join([...equal, compare(key, direction === 'asc' ? '>' : '<')], sql` AND `)})`;
  });
  return sql`(${sql.join(alternatives, sql` OR `)})`;
}
