import type { Context as HonoContext } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../http/context.ts';
import { ApiError } from '../http/errors.ts';
import { checkTokenOf } from './tokens/token-checker.ts';

/**
 * Sets the actor from X-Auth-Token. It stands before a service as keystonemiddleware stands before OpenStack's, so it
 * answers itself, in that one's words: 401 without a token that is good for the call, 503 when tokens cannot be checked.
 */
export const authenticate = createMiddleware<AppEnv>(async (c, next) => {
  try {
    const checked = await checkTokenOf(c);
    if (!checked) return refuse(c, 401, 'Unauthorized', 'The request you have made requires authentication.');
    c.set('actor', checked.actor);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 503) throw error;
    c.header('retry-after', error.headers['retry-after']);
    return refuse(c, 503, 'Service Unavailable', 'The Keystone service is temporarily unavailable.');
  }
  return next();
});

function refuse(c: HonoContext<AppEnv>, code: 401 | 503, title: string, message: string): Response {
  if (code === 401) c.header('www-authenticate', `Keystone uri="${c.get('ctx').baseUrl}/identity"`);
  return c.json({ error: { code, title, message } }, code);
}
