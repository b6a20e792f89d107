import { expect, it } from 'vitest';
import { adminToken, call } from './edge-client.ts';

const HOME = '';
const AWAY = '/r/RegionTwo';

async function asked<T>(method: string, path: string, body?: unknown, status = 200): Promise<T> {
  const response = await call(method, path, { token: await adminToken(), ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  expect([`${method} ${path}`, response.status, text]).toEqual([`${method} ${path}`, status, text]);
  return (status < 400 && text !== '' ? JSON.parse(text) : null) as T;
}

const unique = (kind: string) => `${kind}-${crypto.randomUUID()}`;
interface Made {
  id: string;
  links?: { href: string }[];
}

/** A kind of object that lives in one region: how it is made, listed and removed. */
const KINDS = [
  {
    kind: 'image',
    path: '/image/v2/images',
    make: async (region: string, name: string) => asked<Made>('POST', `${region}/image/v2/images`, { name }, 201),
    removed: 204,
  },
  {
    kind: 'network',
    path: '/networking/v2.0/networks',
    make: async (region: string, name: string) =>
      (await asked<{ network: Made }>('POST', `${region}/networking/v2.0/networks`, { network: { name } }, 201))
        .network,
    removed: 204,
  },
  {
    kind: 'flavor',
    path: '/compute/v2.1/flavors',
    make: async (region: string, name: string) =>
      (
        await asked<{ flavor: Made }>('POST', `${region}/compute/v2.1/flavors`, {
          flavor: { name, ram: 64, vcpus: 1, disk: 1 },
        })
      ).flavor,
    removed: 202,
  },
  {
    kind: 'keypair',
    path: '/compute/v2.1/os-keypairs',
    make: async (region: string, name: string) => {
      await asked('POST', `${region}/compute/v2.1/os-keypairs`, { keypair: { name } });
      return { id: name };
    },
    removed: 202,
  },
];

it.each(KINDS)('a $kind of one region is not there in another', async ({ kind, path, make, removed }) => {
  const name = unique(kind);
  const made = await make(AWAY, name);
  const listed = async (region: string) => JSON.stringify(await asked('GET', `${region}${path}`));
  expect(await listed(AWAY)).toContain(name);
  expect(await listed(HOME)).not.toContain(name);
  await asked('GET', `${HOME}${path}/${made.id}`, undefined, 404);
  await asked('DELETE', `${HOME}${path}/${made.id}`, undefined, 404);
  const shown = await asked<Record<string, unknown>>('GET', `${AWAY}${path}/${made.id}`);
  expect(JSON.stringify(shown)).toContain(name);

  // The name is free elsewhere, and the twin is another object.
  const twin = await make(HOME, name);
  if (kind !== 'keypair') expect(twin.id).not.toBe(made.id);
  await asked('DELETE', `${AWAY}${path}/${made.id}`, undefined, removed);
  await asked('GET', `${AWAY}${path}/${made.id}`, undefined, 404);
  await asked('GET', `${HOME}${path}/${twin.id}`);
  await asked('DELETE', `${HOME}${path}/${twin.id}`, undefined, removed);
});

it('links stay in the region that was asked', async () => {
  const { flavor } = await asked<{ flavor: Required<Made> }>('POST', `${AWAY}/compute/v2.1/flavors`, {
    flavor: { name: unique('f'), ram: 64, vcpus: 1, disk: 1 },
  });
  expect(flavor.links.map(({ href }) => new URL(href).pathname)).toEqual([
    `${AWAY}/compute/v2.1/flavors/${flavor.id}`,
    `${AWAY}/compute/flavors/${flavor.id}`,
  ]);
  for (const path of ['/compute', '/compute/v2.1', '/image', '/networking']) {
    const response = await call('GET', AWAY + path);
    expect(await response.text()).toContain(`http://edge.test${AWAY}/`);
  }
});

it('what references another region is refused', async () => {
  const { network } = await asked<{ network: Made }>(
    'POST',
    `${AWAY}/networking/v2.0/networks`,
    { network: { name: unique('n') } },
    201,
  );
  const subnet = { network_id: network.id, ip_version: 4, cidr: '10.9.0.0/24' };
  await asked('POST', `${HOME}/networking/v2.0/subnets`, { subnet }, 404);
  await asked('POST', `${HOME}/networking/v2.0/ports`, { port: { network_id: network.id } }, 404);
  await asked('POST', `${AWAY}/networking/v2.0/subnets`, { subnet }, 201);
});

it('the catalog names both regions, and one token serves in both', async () => {
  const { catalog } = await asked<{ catalog: { type: string; endpoints: { region: string; url: string }[] }[] }>(
    'GET',
    `${AWAY}/identity/v3/auth/catalog`,
  );
  const urlsOf = (type: string) =>
    new Set(
      catalog
        .find((one) => one.type === type)
        ?.endpoints.map(({ region, url }) => `${region} ${new URL(url).pathname}`),
    );
  expect(urlsOf('compute')).toEqual(new Set(['RegionOne /compute/v2.1', `RegionTwo ${AWAY}/compute/v2.1`]));
  expect(urlsOf('network')).toEqual(new Set(['RegionOne /networking', `RegionTwo ${AWAY}/networking`]));
  expect(urlsOf('identity')).toEqual(new Set(['RegionOne /identity/v3', 'RegionTwo /identity/v3']));
});

it('machines are of their region', async () => {
  const away = await asked<{ hypervisors: unknown[] }>('GET', `${AWAY}/compute/v2.1/os-hypervisors`);
  expect(away.hypervisors).toEqual([]);
});
