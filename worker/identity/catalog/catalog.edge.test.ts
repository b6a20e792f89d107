import { describe, expect, test } from 'vitest';
import { adminToken, call, ORIGIN } from '../../../test/edge-client.ts';
import { keystone, must } from '../../../test/edge-identity.ts';
import { ownServices } from './catalog.ts';

interface Listed {
  id: string;
  type?: string;
  url?: string;
  interface?: string;
}

describe.each([
  ['service', 'services'],
  ['endpoint', 'endpoints'],
  ['region', 'regions'],
])('%s', (one, many) => {
  test('is listed, and shown as it is listed', async () => {
    const { body } = await must('GET', `/${many}`);
    expect(body.links).toEqual({ next: null, self: `${ORIGIN}/identity/v3/${many}`, previous: null });
    expect(body[many].length).toBeGreaterThan(0);
    for (const item of body[many]) {
      expect(item.links).toEqual({ self: `${ORIGIN}/identity/v3/${many}/${item.id}` });
      expect((await must('GET', `/${many}/${item.id}`)).body).toEqual({ [one]: item });
    }
  });

  test('that there is not is not found', async () => {
    const answer = await keystone('GET', `/${many}/nothing`);
    expect([answer.status, answer.body.error.message]).toEqual([404, `Could not find ${one}: nothing.`]);
  });

  test('that the cloud brings cannot be changed', async () => {
    const { id } = (await must('GET', `/${many}`)).body[many][0];
    for (const method of ['PATCH', 'DELETE']) {
      const answer = await keystone(method, `/${many}/${id}`, { body: { [one]: { description: 'x' } } });
      expect(answer.status).toBe(403);
      expect(answer.body.error.message).toContain('follow from how it is set up');
    }
  });
});

test('the lists are what the catalog of a token says', async () => {
  // What other tests add is seen here a little later.
  const ids = ownServices.map(({ id }) => id);
  const own = ({ id }: Listed) => ids.includes(id);
  const catalog = (await must('GET', '/auth/catalog')).body.catalog.filter(own);
  const services = (await must('GET', '/services')).body.services.filter(own);
  const endpoints = (await must('GET', '/endpoints')).body.endpoints.filter((one: { service_id: string }) =>
    ids.includes(one.service_id),
  );
  const brief = ({ id, type }: Listed) => [id, type];
  expect(services.map(brief)).toEqual(catalog.map(brief));
  const flat = catalog.flatMap((service: { endpoints: Listed[] }) => service.endpoints);
  expect(endpoints.map(({ id, url }: Listed) => [id, url])).toEqual(flat.map(({ id, url }: Listed) => [id, url]));
});

test('the lists can be filtered', async () => {
  const [compute] = (await must('GET', '/services?type=compute')).body.services;
  expect(compute).toMatchObject({ name: 'nova', type: 'compute', enabled: true });
  expect((await must('GET', '/services?name=nova&type=image')).body.services).toEqual([]);
  const { endpoints } = (await must('GET', `/endpoints?service_id=${compute.id}&interface=public`)).body;
  expect(endpoints).toMatchObject([{ interface: 'public', region: 'RegionOne', url: `${ORIGIN}/compute/v2.1` }]);
  expect((await must('GET', '/endpoints?region_id=nowhere')).body.endpoints).toEqual([]);
});

test('asked under another region, the catalog holds both, and one identity', async () => {
  const response = await call('GET', '/r/north/identity/v3/endpoints?interface=public', { token: await adminToken() });
  const { endpoints } = (await response.json()) as { endpoints: { region: string; url: string }[] };
  const urls = endpoints.map(({ region, url }) => `${region} ${url}`);
  expect(urls).toEqual(
    expect.arrayContaining([
      `RegionOne ${ORIGIN}/image`,
      `north ${ORIGIN}/r/north/image`,
      `north ${ORIGIN}/identity/v3`,
    ]),
  );
});
