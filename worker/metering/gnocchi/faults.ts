import type { Context as HonoContext } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { AppEnv } from '../../http/context.ts';
import { ApiError, notFound } from '../../http/errors.ts';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
};

/** Renders a failure as Gnocchi does; what nobody expected is logged and told as 500. */
export function renderFault(error: Error, c: HonoContext<AppEnv>): Response {
  const known = error instanceof ApiError ? error : undefined;
  if (!known) c.get('ctx').log.error('request-failed', { error: String(error), stack: error.stack });
  for (const [name, value] of Object.entries(known?.headers ?? {})) c.header(name, value);
  const code = known?.status ?? 500;
  const description = known?.message ?? 'The server could not serve this request; its log has why.';
  return c.json({ code, title: TITLES[code] ?? 'Error', description }, code as ContentfulStatusCode);
}

export const metricNotFound = (id: string) => notFound(`Metric ${id} does not exist`);
export const resourceNotFound = (id: string) => notFound(`Resource ${id} does not exist`);
export const typeNotFound = (name: string) => notFound(`Resource type ${name} does not exist`);
export const policyNotFound = (name: string) => notFound(`Archive policy ${name} does not exist`);
