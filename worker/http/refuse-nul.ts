import { createMiddleware } from 'hono/factory';
import { badRequest, notFound } from './errors.ts';

/**
 * Stands before a whole service: nothing has a NUL in its name, and the database takes no text with one.
 * @throws ApiError 404 for one in the path, 400 in the query
 */
export const refuseNul = createMiddleware(async (c, next) => {
  const { url } = c.req;
  const at = url.indexOf('%00');
  if (at < 0) return next();
  const query = url.indexOf('?');
  throw query < 0 || at < query
    ? notFound('The resource could not be found.')
    : badRequest('A query parameter must not contain a NUL character.');
});
