import type { AppContext } from '../http/context.ts';
import { ApiError } from '../http/errors.ts';

/** Errors of `/aerostat/v1`: `{"error": {code, title, message, request_id}}`. */
export function renderFault(error: Error, c: AppContext): Response {
  const known = error instanceof ApiError ? error : undefined;
  const requestId = c.get('ctx').requestId;
  if (!known) c.get('ctx').log.error('unhandled', { error: error.stack ?? String(error) });
  const code = known?.status ?? 500;
  const message = known?.message ?? `An unexpected error occurred; the log has it under ${requestId}.`;
  return Response.json(
    { error: { code, title: known?.type ?? 'InternalError', message, request_id: requestId } },
    { status: code, headers: known?.headers ?? {} },
  );
}
