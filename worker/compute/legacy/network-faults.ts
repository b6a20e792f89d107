import { createMiddleware } from 'hono/factory';
import { ApiError, badRequest, notFound } from '../../http/errors.ts';
import type { ComputeEnv } from '../http/env.ts';
import { PROXIES_UNTIL } from './gone.ts';

/** Lets only versions through in which Nova still handed such calls on to networking. */
export const untilProxiesEnd = createMiddleware<ComputeEnv>(async (c, next) => {
  if (c.get('microversion') > PROXIES_UNTIL) throw notFound('The resource could not be found.');
  await next();
});

/** What networking refuses as a conflict Nova calls a bad request. */
export async function asNova<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ApiError && error.status === 409 ? badRequest(error.message) : error;
  }
}
