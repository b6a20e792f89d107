import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { AppContext } from '../../http/context.ts';
import { ApiError, notFound } from '../../http/errors.ts';
import { toldFault } from '../../http/told-fault.ts';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
};

/** Renders a failure as Gnocchi does. */
export function renderFault(error: Error, c: AppContext): Response {
  const { status, message } = toldFault(error, c);
  const told = { code: status, title: TITLES[status] ?? 'Error', description: message };
  return c.json(told, status as ContentfulStatusCode);
}

export const metricNotFound = (id: string) => notFound(`Metric ${id} does not exist`);
export const resourceNotFound = (id: string) => notFound(`Resource ${id} does not exist`);
export const typeNotFound = (name: string) => notFound(`Resource type ${name} does not exist`);
export const policyNotFound = (name: string) => notFound(`Archive policy ${name} does not exist`);

/** What is said to a call of Gnocchi's that is none of ours: why, beside that. */
export const notTaken = ({ status, message, headers }: ApiError) =>
  new ApiError(status, `${message} Metrics are only read: machines tell what they measure.`, { headers });
