import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { AssertionFailed, ConstraintFailed } from '../../http/commit.ts';
import type { AppContext } from '../../http/context.ts';
import { ApiError, badRequest } from '../../http/errors.ts';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Request Entity Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
};

/** What a log-in may use, as told to a client that asked for something else. */
export const AUTH_METHODS = ['application_credential', 'password', 'token'];

/** A log-in by a method that there is not. */
export class AuthMethodNotSupported extends ApiError {
  constructor() {
    super(401, 'Attempted to authenticate with an unsupported method.');
  }
}

/** A body lacks something: Keystone's words for it. */
export const expecting = (attribute: string, target: string): ApiError =>
  badRequest(
    `Expecting to find ${attribute} in ${target}. The server could not comply with the request since it is either ` +
      'malformed or otherwise incorrect. The client is assumed to be in error.',
  );

/** Renders what a verb threw as Keystone does; what nobody foresaw is logged and told without its details. */
export function renderFault(error: Error, c: AppContext): Response {
  const { baseUrl, log } = c.get('ctx');
  const known = error instanceof ApiError ? error : conflictOf(error);
  if (!known) {
    log.error('identity-unexpected', { path: c.req.path, error: String(error), stack: error.stack });
    return fault(c, 500, 'An unexpected error prevented the server from fulfilling your request.');
  }
  for (const [name, value] of Object.entries(known.headers)) c.header(name, value);
  if (known.status === 401) c.header('www-authenticate', `Keystone uri="${baseUrl}/identity/v3"`);
  const more = known instanceof AuthMethodNotSupported ? { identity: { methods: AUTH_METHODS } } : {};
  return fault(c, known.status, known.message, more);
}

/** Two requests changed the same thing at once, in a way that the verb has no words of its own for. */
function conflictOf(error: Error): ApiError | undefined {
  if (!(error instanceof AssertionFailed || error instanceof ConstraintFailed)) return undefined;
  return new ApiError(409, 'The resource changed while this request was served. Look at it and try again.');
}

function fault(c: AppContext, code: number, message: string, more: Record<string, unknown> = {}): Response {
  const title = TITLES[code] ?? 'Error';
  return c.json({ error: { code, message, title, ...more } }, code as ContentfulStatusCode);
}
