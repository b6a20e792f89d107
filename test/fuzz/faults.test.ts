import { expect, it } from 'vitest';
import { malformed } from './faults.ts';

const of = (status: number, body: unknown, headers: Record<string, string> = {}) => ({
  status,
  headers: {
    'content-type': 'application/json',
    'x-openstack-request-id': 'req-1',
    'x-compute-request-id': 'req-1',
    ...headers,
  },
  text: typeof body === 'string' ? body : JSON.stringify(body),
});

it('knows the faults of each service', () => {
  expect(malformed('compute', of(404, { itemNotFound: { code: 404, message: 'no' } }))).toBeUndefined();
  expect(malformed('networking', of(404, { NeutronError: { type: 'X', message: 'no', detail: '' } }))).toBeUndefined();
  expect(malformed('identity', of(403, { error: { code: 403, title: 'Forbidden', message: 'no' } }))).toBeUndefined();
  expect(malformed('image', of(404, { message: 'no', code: '404 Not Found', title: 'Not Found' }))).toBeUndefined();
  expect(malformed('rating', of(404, { message: 'no' }))).toBeUndefined();
  const fault = { faultcode: 'Client', faultstring: 'no', debuginfo: null };
  expect(malformed('rating', of(404, fault))).toBeUndefined();
});

it('finds what clients could not read', () => {
  expect(malformed('compute', of(500, { computeFault: { code: 500, message: 'x' } }))).toBe('answered 500');
  expect(malformed('compute', of(404, { error: { code: 404, message: 'no' } }))).toContain('in a shape');
  expect(malformed('compute', of(404, { itemNotFound: { code: 400, message: 'no' } }))).toContain('in a shape');
  expect(malformed('networking', of(404, { error: { code: 404, title: 'x', message: 'no' } }))).toContain('in a shape');
  expect(malformed('rating', of(404, { error: { code: 404, title: 'x', message: 'no' } }))).toContain('in a shape');
  expect(malformed('identity', of(404, ''))).toContain('no body');
  expect(malformed('identity', of(200, '{'))).toContain('is not');
  expect(malformed('identity', of(200, {}, { 'x-openstack-request-id': '' }))).toContain('request-id');
});
