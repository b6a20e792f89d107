import { expect, test } from 'vitest';
import { adminToken, call, newTenant, ORIGIN } from '../../test/edge-client.ts';
import { must, resealed } from '../../test/edge-identity.ts';

const SERVICE = '/compute/v2.1/flavors';

async function refusal(token: string | undefined, path = SERVICE) {
  const response = await call('GET', path, token === undefined ? {} : { token });
  return { status: response.status, header: response.headers.get('www-authenticate'), body: await response.json() };
}
const refused = (base: string) => ({
  status: 401,
  header: `Keystone uri="${base}/identity"`,
  body: {
    error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' },
  },
});

test('a good token opens another service', async () => {
  const { token } = await newTenant();
  expect((await call('GET', SERVICE, { token })).status).toBe(200);
});

test('without a token a service refuses as keystonemiddleware does', async () => {
  expect(await refusal(undefined)).toEqual(refused(ORIGIN));
  expect(await refusal('junk')).toEqual(refused(ORIGIN));
  expect(await refusal('x'.repeat(9000))).toEqual(refused(ORIGIN));
});

test('the refusal names the address that was asked', async () => {
  expect(await refusal(undefined, `/r/north${SERVICE}`)).toEqual(refused(`${ORIGIN}/r/north`));
});

test('an expired token is refused', async () => {
  const { token } = await newTenant();
  expect(await refusal(await resealed(token, { expiresAtMs: Date.now() }))).toEqual(refused(ORIGIN));
});

test('a revoked token is refused at once', async () => {
  const { token } = await newTenant();
  expect((await call('GET', SERVICE, { token })).status).toBe(200);
  await must('DELETE', '/auth/tokens', { token: await adminToken(), headers: { 'x-subject-token': token } });
  expect(await refusal(token)).toEqual(refused(ORIGIN));
});
