import { describe, expect, it } from 'vitest';
import { adminToken, call, newTenant, ORIGIN } from './edge-client.ts';
import { mintActor } from './edge-tokens.ts';

const REQUEST_ID = /^req-[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const NO_ID = '11111111-2222-3333-4444-555555555555';

/** What each service calls an object that is not there, a body that is none, and what is forbidden; in its own shape. */
const SERVICES = [
  {
    name: 'identity',
    missing: '/identity/v3/users/11111111222233334444555555555555',
    create: '/identity/v3/users',
    forbidden: { method: 'GET', path: '/identity/v3/users' },
    shape: (code: number, title: string) => ({
      error: { code, title, message: expect.stringMatching(/\w/) },
    }),
    titles: { 400: 'Bad Request', 403: 'Forbidden', 404: 'Not Found' },
  },
  {
    name: 'compute',
    missing: `/compute/v2.1/servers/${NO_ID}`,
    create: '/compute/v2.1/servers',
    forbidden: { method: 'GET', path: '/compute/v2.1/os-hypervisors' },
    shape: (code: number, title: string) => ({ [title]: { code, message: expect.stringMatching(/\w/) } }),
    titles: { 400: 'badRequest', 403: 'forbidden', 404: 'itemNotFound' },
  },
  {
    name: 'network',
    missing: `/networking/v2.0/networks/${NO_ID}`,
    create: '/networking/v2.0/networks',
    forbidden: { method: 'POST', path: '/networking/v2.0/networks', body: { network: { shared: true } } },
    shape: (_code: number, type: string) => ({
      NeutronError: { type, message: expect.stringMatching(/\w/), detail: '' },
    }),
    titles: { 400: 'HTTPBadRequest', 403: 'PolicyNotAuthorized', 404: 'NetworkNotFound' },
  },
] as const;

describe.each(SERVICES)('faults of $name', ({ missing, create, forbidden, shape, titles }) => {
  it('404, 400 and 403 have the shape that its clients read, and a request id', async () => {
    const { token } = await newTenant();
    const admin = await adminToken();
    const answers = {
      404: await call('GET', missing, { token: admin }),
      400: await call('POST', create, { token: admin, body: [] }),
      403: await call(forbidden.method, forbidden.path, {
        token,
        ...('body' in forbidden ? { body: forbidden.body } : {}),
      }),
    };
    for (const status of [404, 400, 403] as const) {
      const response = answers[status];
      expect([response.status, await response.json()]).toEqual([status, shape(status, titles[status])]);
      expect(response.headers.get('content-type')).toMatch(/^application\/json/);
      expect(response.headers.get('x-openstack-request-id')).toMatch(REQUEST_ID);
    }
  });

  it('an empty body is 400', async () => {
    const { token } = await mintActor('admin');
    const headers = { 'content-type': 'application/json', 'x-auth-token': token };
    const response = await call('POST', create, { headers });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(shape(400, titles[400]));
  });

  it('401 names the identity service', async () => {
    for (const response of [await call('GET', missing), await call('GET', missing, { token: 'nonsense' })]) {
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toMatch(/^Keystone uri="http:\/\/edge\.test\/identity(\/v3)?"$/);
      expect(await response.json()).toEqual({
        error: {
          code: 401,
          title: 'Unauthorized',
          message: 'The request you have made requires authentication.',
        },
      });
      expect(response.headers.get('x-openstack-request-id')).toMatch(REQUEST_ID);
    }
  });
});

describe('faults of image', () => {
  it('are pages for browsers and JSON for those who ask for it', async () => {
    const { token } = await mintActor('member');
    const json = await call('GET', `/image/v2/images/${NO_ID}`, { token, headers: { accept: 'application/json' } });
    expect([json.status, await json.json()]).toEqual([
      404,
      { code: '404 Not Found', title: 'Not Found', message: expect.stringContaining(NO_ID) },
    ]);
    const page = await call('GET', `/image/v2/images/${NO_ID}`, { token });
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(await page.text()).toContain('404 Not Found');
    const bad = await call('POST', '/image/v2/images', { token, body: [] });
    expect(bad.status).toBe(400);
    const forbidden = await call('POST', '/image/v2/images', { token, body: { name: 'x', visibility: 'public' } });
    expect(forbidden.status).toBe(403);
    for (const response of [json, page, bad, forbidden])
      expect(response.headers.get('x-openstack-request-id')).toMatch(REQUEST_ID);
    await bad.body?.cancel();
    await forbidden.body?.cancel();
  });
});

describe('versions', () => {
  const documentAt = async (path: string) => {
    const response = await call('GET', path, { headers: { accept: 'application/json' } });
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(response.headers.get('x-openstack-request-id')).toMatch(REQUEST_ID);
    return { status: response.status, body: await response.json() };
  };
  const self = (path: string) => ({ rel: 'self', href: `${ORIGIN}${path}` });

  it('of identity', async () => {
    const version = {
      id: expect.stringMatching(/^v3\.\d+$/),
      status: 'stable',
      updated: expect.stringMatching(/^\d{4}-\d\d-\d\dT00:00:00Z$/),
      links: [self('/identity/v3/')],
      'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
    };
    expect(await documentAt('/identity/')).toEqual({ status: 300, body: { versions: { values: [version] } } });
    expect(await documentAt('/identity/v3/')).toEqual({ status: 200, body: { version } });
  });

  it('of compute', async () => {
    const range = { version: expect.stringMatching(/^2\.\d+$/), min_version: '2.1' };
    const updated = '2013-07-23T11:33:21Z';
    const v21 = { id: 'v2.1', status: 'CURRENT', updated, ...range, links: [self('/compute/v2.1/')] };
    const { status, body } = await documentAt('/compute/');
    expect(status).toBe(200);
    expect(body).toEqual({
      versions: [
        {
          id: 'v2.0',
          status: 'SUPPORTED',
          updated: '2011-01-21T11:33:21Z',
          version: '',
          min_version: '',
          links: [self('/compute/v2/')],
        },
        v21,
      ],
    });
    expect((await documentAt('/compute/v2.1/')).body).toEqual({
      version: {
        ...v21,
        links: [self('/compute/v2.1/'), expect.objectContaining({ rel: 'describedby', type: 'text/html' })],
        'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.compute+json;version=2.1' }],
      },
    });
  });

  it('of image', async () => {
    const { status, body } = await documentAt('/image/');
    expect(status).toBe(300);
    const { versions } = body as { versions: { status: string }[] };
    expect(versions.map((one) => one.status)).toEqual(['CURRENT', ...versions.slice(1).map(() => 'SUPPORTED')]);
    for (const version of versions)
      expect(version).toEqual({
        id: expect.stringMatching(/^v2\.\d+$/),
        status: expect.any(String),
        links: [self('/image/v2/')],
      });
    expect(await documentAt('/image/versions')).toEqual({ status: 200, body });
  });

  it('of networking', async () => {
    const { status, body } = await documentAt('/networking/');
    expect([status, body]).toEqual([
      200,
      { versions: [{ id: 'v2.0', status: 'CURRENT', links: [self('/networking/v2.0/')] }] },
    ]);
  });
});

it('compute repeats its request id under its own name', async () => {
  const { token } = await mintActor('member');
  const response = await call('GET', '/compute/v2.1/servers', { token });
  expect(response.headers.get('x-compute-request-id')).toBe(response.headers.get('x-openstack-request-id'));
  await response.body?.cancel();
});
