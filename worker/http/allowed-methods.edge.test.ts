import { describe, expect, it } from 'vitest';
import { adminToken, call } from '../../test/edge-client.ts';

async function answer(method: string, path: string, headers: Record<string, string> = {}) {
  const response = await call(method, path, { token: await adminToken(), headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text };
}
const JSON_TYPE = { accept: 'application/json' };

describe('a path that a service does not have', () => {
  it.each([
    ['/identity/v3/nothing', { error: { code: 404, title: 'Not Found', message: expect.any(String) } }],
    ['/compute/v2.1/nothing', { itemNotFound: { code: 404, message: expect.any(String) } }],
    ['/networking/v2.0/nothing', { NeutronError: { type: 'HTTPNotFound', message: expect.any(String), detail: '' } }],
    ['/image/v2/nothing', { code: '404 Not Found', title: 'Not Found', message: expect.any(String) }],
    ['/aerostat/v1/nothing', { error: expect.objectContaining({ code: 404 }) }],
  ])('%s is 404 in its own words', async (path, body) => {
    const { status, text, headers } = await answer('GET', path, JSON_TYPE);
    expect(status).toBe(404);
    expect(JSON.parse(text)).toEqual(body);
    expect(headers.get('x-openstack-request-id')).toMatch(/^req-[0-9a-f-]{36}$/);
  });
});

describe('a method that a path does not have', () => {
  it.each([
    ['PUT', '/identity/v3/users', 405, 'GET, POST, HEAD, OPTIONS'],
    ['DELETE', '/identity/v3/roles', 405, 'GET, POST, HEAD, OPTIONS'],
    ['POST', '/identity/v3/projects/x', 405, 'GET, PATCH, DELETE, HEAD, OPTIONS'],
    // Nova knows no path by another method.
    ['PATCH', '/compute/v2.1/servers', 404, null],
    ['PATCH', '/networking/v2.0/networks', 405, 'GET, POST, HEAD, OPTIONS'],
    ['POST', '/networking/v2.0/networks/x', 405, 'GET, PUT, DELETE, HEAD, OPTIONS'],
    ['DELETE', '/image/v2/images', 405, 'GET, POST'],
    ['POST', '/image/v2/images/x/file', 405, 'GET, PUT'],
  ])('%s %s is %i', async (method, path, status, allow) => {
    const refused = await answer(method, path, JSON_TYPE);
    expect([refused.status, refused.headers.get('allow')]).toEqual([status, allow]);
    expect(JSON.parse(refused.text)).toBeTypeOf('object');
  });

  it('is told by Keystone to who asks for the options', async () => {
    const { status, headers, text } = await answer('OPTIONS', '/identity/v3/users');
    expect([status, text, headers.get('allow')]).toEqual([200, '', 'GET, POST, HEAD, OPTIONS']);
    expect((await answer('OPTIONS', '/identity/v3/nothing')).status).toBe(404);
  });

  it('is HEAD in Neutron alone', async () => {
    expect((await answer('HEAD', '/networking/v2.0/networks')).status).toBe(405);
    expect((await answer('HEAD', '/identity/v3/users')).status).toBe(200);
    expect((await answer('HEAD', '/image/v2/schemas/image')).status).toBe(200);
  });
});

describe('every answer', () => {
  it.each([
    ['GET', '/identity/v3/users'],
    ['GET', '/compute/v2.1/servers'],
    ['GET', '/compute/v2.1/servers/x'],
    ['DELETE', '/compute/v2.1/servers/x'],
    ['GET', '/compute/v2.1/nothing'],
    ['GET', '/networking/v2.0/ports'],
    ['GET', '/image/v2/images'],
    ['GET', '/'],
    ['GET', '/nothing'],
  ])('carries the id of its request: %s %s', async (method, path) => {
    const { headers } = await answer(method, path);
    const id = headers.get('x-openstack-request-id');
    expect(id).toMatch(/^req-[0-9a-f-]{36}$/);
    if (path.startsWith('/compute')) expect(headers.get('x-compute-request-id')).toBe(id);
  });
});
