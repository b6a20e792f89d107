import type { AppContext } from './context.ts';
import { ApiError } from './errors.ts';

/** What a client is told of a failure, with its headers set; what nobody expected is logged and told as 500. */
export function toldFault(error: Error, c: AppContext): { status: number; message: string } {
  if (!(error instanceof ApiError)) {
    c.get('ctx').log.error('request-failed', { error: String(error), stack: error.stack });
    return { status: 500, message: 'The server could not serve this request; its log has why.' };
  }
  for (const [name, value] of Object.entries(error.headers)) c.header(name, value);
  return { status: error.status, message: error.message };
}
