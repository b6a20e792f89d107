import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../http/context.ts';
import { unauthorized } from '../http/errors.ts';

/** Sets the actor from X-Auth-Token. @throws ApiError 401 without a valid token */
export const authenticate = createMiddleware<AppEnv>(async () => {
  throw unauthorized();
});
