import { expect, test } from 'vitest';
import { call, ORIGIN } from '../../test/edge-client.ts';

const versionAt = (base: string) => ({
  id: 'v3.14',
  status: 'stable',
  updated: '2020-04-07T00:00:00Z',
  links: [{ rel: 'self', href: `${base}/identity/v3/` }],
  'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
});

test.each(['/identity', '/identity/'])('GET %s lists the versions, as 300', async (path) => {
  const response = await call('GET', path, {});
  expect(response.status).toBe(300);
  expect(response.headers.get('location')).toBe(`${ORIGIN}/identity/v3/`);
  expect(response.headers.get('vary')).toBe('X-Auth-Token');
  expect(await response.json()).toEqual({ versions: { values: [versionAt(ORIGIN)] } });
});

test.each(['/identity/v3', '/identity/v3/'])('GET %s is the version', async (path) => {
  const response = await call('GET', path);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ version: versionAt(ORIGIN) });
});

test('a region in the path stays in the links', async () => {
  const response = await call('GET', '/r/north/identity/v3');
  expect(await response.json()).toEqual({ version: versionAt(`${ORIGIN}/r/north`) });
});

test.each(['/identity/v2.0', '/identity/v3/nothing', '/identity/v3/users/x/nothing'])(
  'GET %s is not there',
  async (path) => {
    const response = await call('GET', path);
    const expected = path.includes('users') ? 401 : 404;
    expect(response.status).toBe(expected);
    const { error } = (await response.json()) as { error: object };
    expect(error).toMatchObject({ code: expected, title: expected === 401 ? 'Unauthorized' : 'Not Found' });
  },
);
