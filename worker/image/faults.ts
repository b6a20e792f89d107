import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { AssertionFailed, ConstraintFailed } from '../http/commit.ts';
import type { AppContext } from '../http/context.ts';
import { ApiError, conflict } from '../http/errors.ts';
import { preferredType } from './accept.ts';

const TITLES: Record<number, string> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  410: 'Gone',
  413: 'Request Entity Too Large',
  415: 'Unsupported Media Type',
  416: 'Requested Range Not Satisfiable',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Every failure of the image service as an answer, in the shapes of WebOb that Glance's clients parse. */
export function imageFault(error: Error, c: AppContext): Response {
  const fault = asApiError(error, c);
  for (const [name, value] of Object.entries(fault.headers)) c.header(name, value);
  const status = fault.status as ContentfulStatusCode;
  const title = TITLES[fault.status] ?? 'Error';
  const line = `${fault.status} ${title}`;
  const body = `${fault.message}<br /><br />\n\n\n`;
  switch (preferredType(c.req.header('accept'), ['text/html', 'application/json'])) {
    case 'text/html':
      return c.html(htmlPage(line, fault.message), status);
    case 'application/json':
      return c.json({ message: body, code: line, title }, status);
    default:
      return c.text(`${line}\n\n${fault.message}\n\n\n`, status);
  }
}

function htmlPage(status: string, message: string): string {
  const body = `${escapeHtml(message)}<br /><br />\n\n\n`;
  return `<html>\n <head>\n  <title>${status}</title>\n </head>\n <body>\n  <h1>${status}</h1>\n  ${body}\n </body>\n</html>`;
}

function asApiError(error: Error, c: AppContext): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof AssertionFailed || error instanceof ConstraintFailed) {
    return conflict('The image was changed by another request meanwhile: try again.');
  }
  c.get('ctx').log.error('image-fault', { error: error.stack ?? String(error) });
  return new ApiError(500, 'The server has either erred or is incapable of performing the requested operation.');
}
