import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { ApiError, forbidden } from '../http/errors.ts';
import { overQuota } from '../network/quotas/assert-quota.ts';
import type { ComputeEnv } from './http/env.ts';

/** Nova's names of the faults, by status; any other is a `computeFault`. */
const NAMES: Readonly<Record<number, string>> = {
  400: 'badRequest',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'itemNotFound',
  405: 'badMethod',
  409: 'conflictingRequest',
  413: 'overLimit',
  415: 'badMediaType',
  429: 'overLimit',
  501: 'notImplemented',
  503: 'serviceUnavailable',
};

/** How Nova says that networking refused a port by its quota. */
export const PORTS_EXCEEDED = 'Maximum number of ports exceeded';

/** Renders what a verb threw as Nova does; what nobody foresaw is logged and told with its request id alone. */
export function renderFault(thrown: Error, c: Context<ComputeEnv>): Response {
  const error = overQuota(thrown) === 'port' ? forbidden(PORTS_EXCEEDED) : thrown;
  if (!(error instanceof ApiError)) {
    const { log, requestId } = c.get('ctx');
    log.error('compute-unexpected', {
      path: c.req.path,
      error: String(error),
      cause: String(error.cause ?? ''),
      stack: error.stack,
    });
    const message = `Unexpected API Error. Tell the operator of this cloud the request id ${requestId}.`;
    return c.json({ computeFault: { code: 500, message } }, 500);
  }
  const code = error.status as ContentfulStatusCode;
  const retryAfter = error.headers['retry-after'];
  const fault = {
    code,
    message: error.message,
    ...(retryAfter && (code === 413 || code === 429) ? { retryAfter } : {}),
  };
  return c.json({ [NAMES[code] ?? 'computeFault']: fault }, code, error.headers);
}
