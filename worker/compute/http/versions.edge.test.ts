import { describe, expect, it } from 'vitest';
import { call } from '../../../test/edge-client.ts';
import { mintActor } from '../../../test/edge-tokens.ts';

const get = (path: string, headers: Record<string, string> = {}, token?: string) =>
  call('GET', `/compute${path}`, { headers, ...(token ? { token } : {}) });

describe('versions', () => {
  it('are listed for everyone', async () => {
    const response = await get('/');
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      versions: [
        { id: 'v2.0', links: [{ rel: 'self', href: 'http://edge.test/compute/v2/' }] },
        { id: 'v2.1', status: 'CURRENT', min_version: '2.1', version: '2.94' },
      ],
    });
    for (const path of ['/v2.1', '/v2.1/']) {
      expect(await (await get(path)).json()).toMatchObject({
        version: { id: 'v2.1', version: '2.94', min_version: '2.1' },
      });
    }
    expect(await (await get('/v2/')).json()).toMatchObject({ version: { id: 'v2.0', version: '' } });
  });

  it('are repeated by every answer', async () => {
    const { token } = await mintActor('member');
    const response = await get('/v2.1/flavors', { 'openstack-api-version': 'compute 2.37' }, token);
    expect(response.status).toBe(200);
    expect(response.headers.get('openstack-api-version')).toBe('compute 2.37');
    expect(response.headers.get('x-openstack-nova-api-version')).toBe('2.37');
    expect(response.headers.get('vary')).toBe('OpenStack-API-Version, X-OpenStack-Nova-API-Version');
    const missing = await get('/v2.1/servers/none', { 'x-openstack-nova-api-version': 'latest' }, token);
    expect([missing.status, missing.headers.get('openstack-api-version')]).toEqual([404, 'compute 2.94']);
    const old = await get('/v2/flavors', { 'openstack-api-version': 'compute 2.37' }, token);
    expect([old.status, old.headers.get('openstack-api-version')]).toEqual([200, null]);
  });

  it('that are not served are 406, and what is no version is 400', async () => {
    const { token } = await mintActor('member');
    const beyond = await get('/v2.1/flavors', { 'openstack-api-version': 'compute 2.999' }, token);
    expect(beyond.status).toBe(406);
    expect(beyond.headers.get('x-openstack-nova-api-version')).toBe('2.999');
    expect(await beyond.json()).toEqual({
      computeFault: {
        code: 406,
        message: 'Version 2.999 is not supported by the API. Minimum is 2.1 and maximum is 2.94.',
      },
    });
    const nonsense = await get('/v2.1/flavors', { 'openstack-api-version': 'compute nonsense' }, token);
    expect([nonsense.status, await nonsense.json()]).toEqual([
      400,
      {
        badRequest: {
          code: 400,
          message: 'API Version String nonsense is of invalid format. Must be of format MajorNum.MinorNum.',
        },
      },
    ]);
  });
});

describe('paths', () => {
  it('may name the token’s project, whose links then do so too', async () => {
    const { token, projectId } = await mintActor('member');
    const other = await mintActor('member');
    const response = await get(`/v2.1/${projectId}/flavors?limit=1`, {}, token);
    expect(response.status).toBe(200);
    const wrong = await get(`/v2.1/${other.projectId}/flavors`, {}, token);
    expect([wrong.status, await wrong.json()]).toEqual([
      400,
      {
        badRequest: {
          code: 400,
          message: `Malformed request URL: URL's project_id '${other.projectId}' doesn't match Context's project_id '${projectId}'`,
        },
      },
    ]);
  });

  it('need a token, and say so in Keystone’s words', async () => {
    for (const headers of [{}, { 'x-auth-token': 'nonsense' }]) {
      const response = await get('/v2.1/servers', headers);
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([
        401,
        'Keystone uri="http://edge.test/identity"',
      ]);
      expect(await response.json()).toMatchObject({ error: { code: 401, title: 'Unauthorized' } });
    }
  });

  it('that lead nowhere are 404', async () => {
    const { token } = await mintActor('member');
    for (const path of ['/v2.1/nonsense', '/v3/servers', '/v2.1/servers/a/b/c']) {
      const response = await get(path, {}, token);
      expect([path, response.status, await response.json()]).toEqual([
        path,
        404,
        { itemNotFound: { code: 404, message: 'The resource could not be found.' } },
      ]);
    }
  });
});
