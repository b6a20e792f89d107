import { describe, expect, it } from 'vitest';
import { adminToken, call } from '../../test/edge-client.ts';

const COLLECTIONS = [
  '/identity/v3/users',
  '/identity/v3/roles',
  '/compute/v2.1/servers',
  '/compute/v2.1/os-keypairs',
  '/image/v2/images',
  '/networking/v2.0/ports',
];

const answer = async (...args: Parameters<typeof call>) => {
  const response = await call(...args);
  return [response.status, await response.text()] as const;
};

describe('a text that the database does not take', () => {
  it.each(COLLECTIONS)('names nothing: %s', async (path) => {
    const token = await adminToken();
    expect((await answer('GET', `${path}/a%00b`, { token }))[0]).toBe(404);
    expect((await answer('DELETE', `${path}/%00`, { token }))[0]).toBe(404);
    expect(await answer('GET', `${path}?name=a%00`, { token })).toEqual([400, expect.stringContaining('NUL')]);
  });

  it.each([
    ['/identity/v3/roles', { role: { name: 'a\0' } }],
    ['/compute/v2.1/os-keypairs', { keypair: { name: 'a\0' } }],
    ['/image/v2/images', { name: 'a', 'a\0': 'b' }],
    ['/networking/v2.0/networks', { network: { name: 'a', description: ['\0'] } }],
  ])('is refused in a body: %s', async (path, body) => {
    expect((await answer('POST', path, { token: await adminToken(), body }))[0]).toBe(400);
  });
});

describe('a body that is nested without end', () => {
  it.each(['/identity/v3/roles', '/compute/v2.1/servers', '/image/v2/images', '/networking/v2.0/networks'])(
    'is refused: %s',
    async (path) => {
      const body = JSON.parse(`${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}`);
      expect((await answer('POST', path, { token: await adminToken(), body }))[0]).toBe(400);
    },
  );
});
