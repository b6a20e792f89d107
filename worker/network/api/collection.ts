import type { AppContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { type Listing, type ListQuery, onlyFields, pageLinks, parseListQuery } from './listing.ts';

/** A request with parameters of a list or a show. */
const paramsOf = (c: AppContext): URLSearchParams => new URL(c.req.url).searchParams;

/** Answers a list: reads the page, puts backward pages in order, renders the fields asked for, links the pages. */
export async function answerList<Row>(
  c: AppContext,
  collection: { name: string; listing: Listing; view: (row: Row) => { id: string } },
  read: (query: ListQuery) => Promise<Row[]>,
): Promise<Response> {
  const query = parseListQuery(collection.listing, paramsOf(c));
  const rows = await read(query);
  const views = (query.reverse ? rows.reverse() : rows).map(collection.view);
  const url = new URL(c.req.url);
  const links = pageLinks(`${publicOrigin(c)}${url.pathname.replace(/^\/r\/[^/]+/, '')}${url.search}`, query, {
    first: views[0]?.id,
    last: views.at(-1)?.id,
    count: views.length,
  });
  return c.json({
    [collection.name]: views.map((view) => onlyFields(view, query.fields)),
    ...(links.length > 0 ? { [`${collection.name}_links`]: links } : {}),
  });
}

/** Our address as clients call it, region prefix included. */
const publicOrigin = (c: AppContext): string => c.get('ctx').baseUrl;

/** Answers a show with the fields asked for. */
export function answerShow(c: AppContext, name: string, view: object): Response {
  return c.json({ [name]: onlyFields(view, paramsOf(c).getAll('fields').filter(Boolean)) });
}

/** Answers a create: one under its name, or several under the plural, as they were sent. */
export function answerCreated(
  c: AppContext,
  names: { one: string; many: string },
  bulk: boolean,
  views: object[],
): Response {
  return c.json(bulk ? { [names.many]: views } : { [names.one]: views[0] }, 201);
}

/** @throws ApiError 400 where a delete comes with a body */
export async function refuseBody(c: AppContext): Promise<void> {
  if ((await c.req.text()).length > 0) throw badRequest('Request body is not supported in DELETE.');
}
