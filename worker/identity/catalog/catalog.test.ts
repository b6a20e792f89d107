import { expect, test } from 'vitest';
import { buildCatalog, ownEndpoints, ownServices } from './catalog.ts';

const catalogFor = (rootUrl: string, regions: string[]) => buildCatalog(ownServices, ownEndpoints(rootUrl, regions));

const one = catalogFor('https://cloud.example', ['RegionOne']);

const urlsOf = (catalog: typeof one, type: string) =>
  catalog
    .find((entry) => entry.type === type)
    ?.endpoints.map(({ region, interface: kind, url }) => [region, kind, url]);

test('every service has its three interfaces under the path that clients expect', () => {
  const publicUrls = one.map(({ type, name, endpoints }) => [type, name, endpoints[0]?.url]);
  expect(publicUrls).toEqual([
    ['identity', 'keystone', 'https://cloud.example/identity/v3'],
    ['compute', 'nova', 'https://cloud.example/compute/v2.1'],
    ['image', 'glance', 'https://cloud.example/image'],
    ['network', 'neutron', 'https://cloud.example/networking'],
    ['metric', 'gnocchi', 'https://cloud.example/metric'],
    ['rating', 'cloudkitty', 'https://cloud.example/rating'],
    ['aerostat', 'aerostat', 'https://cloud.example/aerostat/v1'],
  ]);
  for (const { endpoints } of one) {
    expect(endpoints.map(({ interface: kind }) => kind)).toEqual(['public', 'internal', 'admin']);
    expect(new Set(endpoints.map(({ url }) => url)).size).toBe(1);
  }
});

test('further regions have a prefix; identity is one for all of them', () => {
  const two = catalogFor('https://cloud.example', ['RegionOne', 'north']);
  expect(urlsOf(two, 'image')?.filter(([, kind]) => kind === 'public')).toEqual([
    ['RegionOne', 'public', 'https://cloud.example/image'],
    ['north', 'public', 'https://cloud.example/r/north/image'],
  ]);
  expect(urlsOf(two, 'identity')?.map(([, , url]) => url)).toEqual(
    Array.from({ length: 6 }, () => 'https://cloud.example/identity/v3'),
  );
});

test('ids are as long as Keystone has them, all different, and the same wherever they are made', () => {
  const ids = one.flatMap(({ id, endpoints }) => [id, ...endpoints.map((endpoint) => endpoint.id)]);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
  const elsewhere = catalogFor('http://other', ['RegionOne', 'north']);
  expect(elsewhere.map(({ id, endpoints }) => [id, endpoints[0]?.id])).toEqual(
    one.map(({ id, endpoints }) => [id, endpoints[0]?.id]),
  );
});
