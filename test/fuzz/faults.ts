import type { Answer } from './send.ts';

/** Statuses that say that we are at fault, and not the request. */
const OUR_FAULT = new Set([500, 502, 504]);
const COMPUTE_FAULTS =
  /^(badRequest|unauthorized|forbidden|itemNotFound|badMethod|conflictingRequest|overLimit|badMediaType|notImplemented|serviceUnavailable|computeFault)$/;

interface Fault {
  code?: unknown;
  message?: unknown;
  title?: unknown;
  type?: unknown;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const has = (fault: Fault | undefined, code: number): boolean => fault?.code === code && isText(fault.message);

/** Whether a refusal's body is what clients of the service read. */
function isFaultOf(service: string, status: number, body: Record<string, Fault>): boolean {
  // A token is checked before the service is asked, with one shape for all.
  if (has(body.error, status) && (status === 401 || status === 503)) return isText(body.error?.title);
  switch (service) {
    case 'compute': {
      const [[name, fault] = ['', undefined], ...more] = Object.entries(body);
      return more.length === 0 && COMPUTE_FAULTS.test(name) && has(fault, status);
    }
    case 'networking':
      return isText(body.NeutronError?.message) && isText(body.NeutronError?.type);
    case 'image':
      return isText(body.message) && String(body.code).startsWith(`${status} `) && isText(body.title);
    case 'metric':
      return Number(body.code) === status && isText(body.description) && isText(body.title);
    case 'rating':
      return isText(body.message) || (isText(body.faultcode) && isText(body.faultstring));
    default:
      return has(body.error, status) && isText(body.error?.title);
  }
}

/** What is wrong with the form of an answer; undefined where nothing is. */
export function malformed(service: string, answer: Answer): string | undefined {
  const { status, headers, text } = answer;
  if (OUR_FAULT.has(status)) return `answered ${status}`;
  if (!headers['x-openstack-request-id']) return 'carries no x-openstack-request-id';
  if (service === 'compute' && !headers['x-compute-request-id']) return 'carries no x-compute-request-id';
  const type = String(headers['content-type'] ?? '');
  if (status === 204 || text === '') return status >= 400 ? `is ${status} with no body` : undefined;
  if (!type.includes('json'))
    return status >= 400 && !/^text\/(html|plain)/.test(type) ? `is ${status} of type ${type}` : undefined;
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return 'says that it is JSON, and is not';
  }
  if (status < 400) return undefined;
  const ok = body !== null && typeof body === 'object' && isFaultOf(service, status, body as Record<string, Fault>);
  return ok ? undefined : `is ${status} in a shape that clients of ${service} do not know`;
}
