import { describe, expect, test } from 'vitest';
import { ORIGIN } from '../../../test/edge-client.ts';
import { keystone, must } from '../../../test/edge-identity.ts';

describe.each([
  ['a policy', '/policies', 'policy', 'policies', { blob: '{"a": "b"}', type: 'application/json', purpose: 'x' }, {}],
  [
    'a consumer',
    '/OS-OAUTH1/consumers',
    'consumer',
    'consumers',
    { description: 'x', purpose: 'y' },
    { secret: expect.any(String) },
  ],
])('%s', (_, path, one, many, body, once) => {
  test('is made, shown, listed, changed and deleted', async () => {
    const made = await keystone('POST', path, { body: { [one]: body } });
    const { id } = made.body[one];
    const shown = { ...body, id, links: { self: `${ORIGIN}/identity/v3${path}/${id}` } };
    expect([made.status, made.body]).toEqual([201, { [one]: { ...shown, ...once } }]);
    expect((await must('GET', `${path}/${id}`)).body[one]).toEqual(shown);
    expect((await must('GET', path)).body[many]).toContainEqual(shown);
    const changed = await must('PATCH', `${path}/${id}`, { body: { [one]: { purpose: 'z' } } });
    expect(changed.body[one]).toEqual({ ...shown, purpose: 'z' });
    expect((await keystone('PATCH', `${path}/${id}`, { body: { [one]: { id: 'other' } } })).status).toBe(400);
    expect((await keystone('DELETE', `${path}/${id}`)).status).toBe(204);
    const gone = await keystone('GET', `${path}/${id}`);
    expect([gone.status, gone.body.error.message]).toEqual([404, `Could not find ${one}: ${id}.`]);
  });
});

test('a policy needs a blob and a type', async () => {
  for (const policy of [{ blob: 'x' }, { type: 'x' }, { blob: {}, type: 'x' }]) {
    expect((await keystone('POST', '/policies', { body: { policy } })).status).toBe(400);
  }
});

test("a consumer's secret cannot be changed", async () => {
  const { id } = (await must('POST', '/OS-OAUTH1/consumers', { body: { consumer: {} } })).body.consumer;
  const body = { consumer: { secret: 'mine' } };
  expect((await keystone('PATCH', `/OS-OAUTH1/consumers/${id}`, { body })).status).toBe(400);
});
