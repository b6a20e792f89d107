import type { Context as HonoContext } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { AssertionFailed, ConstraintFailed } from '../http/commit.ts';
import type { AppEnv } from '../http/context.ts';
import { ApiError, conflict, notFound } from '../http/errors.ts';
import { overQuota } from './quotas/assert-quota.ts';

/** The names that Neutron's clients know for faults that have none of their own. */
const TYPES: Readonly<Record<number, string>> = {
  400: 'HTTPBadRequest',
  403: 'PolicyNotAuthorized',
  404: 'HTTPNotFound',
  409: 'Conflict',
  412: 'HTTPPreconditionFailed',
  413: 'HTTPRequestEntityTooLarge',
  415: 'HTTPUnsupportedMediaType',
  503: 'ServiceUnavailable',
};

/** Renders a failure as Neutron does; what nobody expected is logged and told as 500. */
export function renderFault(error: Error, c: HonoContext<AppEnv>): Response {
  const over = overQuota(error);
  if (over !== undefined) return body(c, 409, 'OverQuota', `Quota exceeded for resources: ['${over}'].`);
  if (error instanceof AssertionFailed || error instanceof ConstraintFailed) {
    return body(c, 409, 'Conflict', 'The resource changed while this request was served. Look at it and try again.');
  }
  if (!(error instanceof ApiError)) {
    c.get('ctx').log.error('request-failed', { error: String(error), stack: error.stack });
    return body(
      c,
      500,
      'HTTPInternalServerError',
      'Request Failed: internal server error while processing your request.',
    );
  }
  for (const [name, value] of Object.entries(error.headers)) c.header(name, value);
  const type = error.type === 'HttpException' ? (TYPES[error.status] ?? error.type) : error.type;
  return body(c, error.status, type, error.message);
}

const body = (c: HonoContext<AppEnv>, status: number, type: string, message: string) =>
  c.json({ NeutronError: { type, message, detail: '' } }, status as ContentfulStatusCode);

export const networkNotFound = (id: string) => notFound(`Network ${id} could not be found.`, 'NetworkNotFound');
export const subnetNotFound = (id: string) => notFound(`Subnet ${id} could not be found.`, 'SubnetNotFound');
export const portNotFound = (id: string) => notFound(`Port ${id} could not be found.`, 'PortNotFound');
export const securityGroupNotFound = (id: string) =>
  notFound(`Security group ${id} does not exist`, 'SecurityGroupNotFound');
export const securityGroupRuleNotFound = (id: string) =>
  notFound(`Security group rule ${id} does not exist`, 'SecurityGroupRuleNotFound');
export const addressScopeNotFound = (id: string) =>
  notFound(`Address scope ${id} could not be found.`, 'AddressScopeNotFound');
export const subnetpoolNotFound = (id: string) =>
  notFound(`Subnet pool ${id} could not be found.`, 'SubnetPoolNotFound');
export const addressGroupNotFound = (id: string) =>
  notFound(`Address group ${id} could not be found.`, 'AddressGroupNotFound');
export const qosPolicyNotFound = (id: string) => notFound(`QoS policy ${id} could not be found.`, 'QosPolicyNotFound');
export const ipAddressInUse = (ip: string, subnetId: string) =>
  conflict(`IP address ${ip} already allocated in subnet ${subnetId}`, 'IpAddressAlreadyAllocated');
export const noAddressLeft = (networkId: string) =>
  conflict(`No more IP addresses available on network ${networkId}.`, 'IpAddressGenerationFailure');
