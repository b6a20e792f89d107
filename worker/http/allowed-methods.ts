import type { Hono } from 'hono';
import type { AppEnv } from './context.ts';
import { ApiError, notFound } from './errors.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** The methods that a service has for a path of its own, with those that come with them. */
export function allowedMethods(service: Hono<AppEnv>, path: string): string[] {
  const own = METHODS.filter((method) =>
    service.router.match(method, path)[0].some(([[, route]]) => route.method === method),
  );
  if (own.length === 0) return [];
  return [...own, ...(own.includes('GET') ? ['HEAD'] : []), 'OPTIONS'];
}

/** What a service says to a request that no route of its own takes. @returns 405 for a path that is there, else 404 */
export function noSuchRoute(allowed: string[], method: string): ApiError {
  if (allowed.length === 0) return notFound('The resource could not be found.');
  return new ApiError(405, `The method ${method} is not allowed for this resource.`, {
    headers: { allow: allowed.join(', ') },
  });
}
