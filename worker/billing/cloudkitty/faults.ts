import type { Context as HonoContext } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { AppEnv } from '../../http/context.ts';
import { ApiError, notFound } from '../../http/errors.ts';

/** Renders a failure as CloudKitty does: of v1 a fault, of v2 a message. What nobody expected is logged and told as 500. */
export function renderFault(error: Error, c: HonoContext<AppEnv>): Response {
  const known = error instanceof ApiError ? error : undefined;
  if (!known) c.get('ctx').log.error('request-failed', { error: String(error), stack: error.stack });
  for (const [name, value] of Object.entries(known?.headers ?? {})) c.header(name, value);
  const status = (known?.status ?? 500) as ContentfulStatusCode;
  const message = known?.message ?? 'The server could not serve this request; its log has why.';
  if (!/\/rating\/v1(\/|$)/.test(c.req.path)) return c.json({ message }, status);
  return c.json({ faultcode: status < 500 ? 'Client' : 'Server', faultstring: message, debuginfo: null }, status);
}

export const nothingFound = () => notFound('No resource found for provided filters.');
