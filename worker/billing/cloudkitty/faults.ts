import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { AppContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { toldFault } from '../../http/told-fault.ts';

/** Renders a failure as CloudKitty does: of v1 a fault, of v2 a message. */
export function renderFault(error: Error, c: AppContext): Response {
  const told = toldFault(error, c);
  const status = told.status as ContentfulStatusCode;
  const { message } = told;
  if (!/\/rating\/v1(\/|$)/.test(c.req.path)) return c.json({ message }, status);
  return c.json({ faultcode: status < 500 ? 'Client' : 'Server', faultstring: message, debuginfo: null }, status);
}

export const nothingFound = () => notFound('No resource found for provided filters.');
export const noRules = () =>
  notFound(
    'There are no rules of hashmap or pyscripts: what things cost is said by prices, under /aerostat/v1/billing.',
  );
export const noCollectors = () => notFound('There are no collectors to switch or map: what machines measure is rated.');
