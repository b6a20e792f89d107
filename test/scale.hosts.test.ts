import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../home/until.ts';
import { type Cloud, startCloud } from './cloud.ts';

const RUNNERS = 20;
const GUESTS = 1000;
const CONCURRENCY = 10;
const CONVERGE_MS = 120_000;

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud();
  await cloud.runners({ hypervisor: 'simulated', count: RUNNERS });
});
afterAll(() => cloud?.stop());

/** Works through a list with so many at a time. */
async function inParallel<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
    }),
  );
}

interface Listed {
  id: string;
  status: string;
  'OS-EXT-SRV-ATTR:host': string;
}

/** Every server, page by page, as a client would read them. */
async function listAll(): Promise<Listed[]> {
  const all: Listed[] = [];
  for (let marker = ''; ; ) {
    const { servers } = await cloud.admin.call<{ servers: Listed[] }>(
      'compute',
      'GET',
      `/servers/detail?limit=300${marker}`,
    );
    if (servers.length === 0) return all;
    all.push(...servers);
    marker = `&marker=${servers.at(-1)?.id}`;
  }
}

const numberOf = async (query: ReturnType<typeof sql>) => (await cloud.edge.db.all<{ n: number }>(query))[0]?.n;

it(`creates, lists and deletes ${GUESTS} guests with ports on ${RUNNERS} runners without an error`, async () => {
  const api = cloud.admin;
  const { project } = await api.call<{ project: { project_id: string } }>('network', 'GET', '/v2.0/quotas/project');
  await api.call('network', 'PUT', `/v2.0/quotas/${project.project_id}`, { quota: { port: GUESTS } });
  const { network } = await api.call<{ network: { id: string } }>('network', 'POST', '/v2.0/networks', {
    network: { name: 'wide' },
  });
  await api.call('network', 'POST', '/v2.0/subnets', {
    subnet: { network_id: network.id, ip_version: 4, cidr: '10.80.0.0/21' },
  });
  const { flavor } = await api.call<{ flavor: { id: string } }>('compute', 'POST', '/flavors', {
    flavor: { name: 'small', ram: 64, vcpus: 1, disk: 1 },
  });
  const image = await api.call<{ id: string }>('image', 'POST', '/v2/images', {
    name: 'i',
    disk_format: 'raw',
    container_format: 'bare',
  });
  await api.call('image', 'PUT', `/v2/images/${image.id}/file`, new Uint8Array(512), {
    'content-type': 'application/octet-stream',
  });

  await inParallel(
    Array.from({ length: GUESTS }, (_, at) => `guest-${at}`),
    async (name) => {
      const server = { name, flavorRef: flavor.id, imageRef: image.id, networks: [{ uuid: network.id }] };
      await api.call('compute', 'POST', '/servers', { server });
    },
  );
  let servers: Listed[] = [];
  await until('ACTIVE for all', CONVERGE_MS, async () => {
    servers = await listAll();
    return servers.every((server) => server.status === 'ACTIVE');
  });
  expect(servers).toHaveLength(GUESTS);
  expect(new Set(servers.map((server) => server.id)).size).toBe(GUESTS);
  const hosts = Map.groupBy(servers, (server) => server['OS-EXT-SRV-ATTR:host']);
  expect(hosts.size).toBe(RUNNERS);
  for (const held of hosts.values()) expect(held.length).toBeLessThanOrEqual((2 * GUESTS) / RUNNERS);
  expect(await numberOf(sql`SELECT count(DISTINCT ip_address) AS n FROM ip_allocations`)).toBe(GUESTS);
  expect(await numberOf(sql`SELECT sum(vcpus_claimed) AS n FROM runners`)).toBe(GUESTS);

  await inParallel(servers, async ({ id }) => {
    await api.call('compute', 'DELETE', `/servers/${id}`);
  });
  await until('the end of all', CONVERGE_MS, async () => (await listAll()).length === 0);
  await until(
    'the last tombstone',
    CONVERGE_MS,
    async () =>
      (await numberOf(sql`SELECT count(*) AS n FROM desired WHERE kind IN ('server', 'port', 'group-member')`)) === 0,
  );
  for (const left of [
    sql`SELECT count(*) AS n FROM ports`,
    sql`SELECT count(*) AS n FROM ip_allocations`,
    sql`SELECT sum(vcpus_claimed + memory_mib_claimed + disk_gib_claimed) AS n FROM runners`,
  ]) {
    expect(await numberOf(left)).toBe(0);
  }
}, 300_000);
