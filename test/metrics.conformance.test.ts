import { afterAll, beforeAll, expect, it } from 'vitest';
import { usageSpans } from '../db/schema/metering.ts';
import { loadSecrets } from '../home/secrets.ts';
import { type Cloud, startCloud } from './cloud.ts';
import { openstackCli } from './openstack-cli.ts';
import { SocketRunner } from './socket-runner.ts';

const HOUR_MS = 3_600_000;
let cloud: Cloud;

beforeAll(async () => {
  cloud = await startCloud();
});
afterAll(() => cloud?.stop());

it('shows what is measured by the openstack client’s own metric commands', async () => {
  const password = loadSecrets(cloud.paths.secrets).adminPassword;
  const openstack = openstackCli(cloud, { user: 'admin', password, project: 'admin' });
  const machine = await SocketRunner.join(cloud, 'meter-1');
  const server = await newServer();

  // Two hours of samples, up to the last border of hours.
  const endMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  const startMs = endMs - 2 * HOUR_MS;
  const batches = Array.from({ length: 121 }, (_, at) => ({
    seq: at + 1,
    at_ms: startMs + at * 60_000,
    boot_id: 'b',
    samples: [
      { type: 'server', id: server, epoch: 'e', values: { 'disk.read.bytes': at * 6_000, 'memory.usage': 4_096 } },
    ],
  }));
  // Samples of before the server was there cannot be: the test has it be older.
  await cloud.edge.db.run(`UPDATE servers SET created_at_ms = ${startMs - 1_000} WHERE id = '${server}'`);
  expect(await machine.metered('spool', batches)).toBe(121);

  const resources = await openstack.json<Record<string, string>[]>('metric', 'resource', 'list');
  expect(resources.map(({ id, type }) => [id, type])).toContainEqual([server, 'instance']);
  const shown = await openstack.json<{ metrics: Record<string, string>; flavor_name: string; state: string }>(
    ...['metric', 'resource', 'show', '--type', 'instance', server],
  );
  expect(shown).toMatchObject({ id: server, flavor_name: 'tiny', state: 'building' });
  const history = await openstack.json<{ revision_end: string | null }[]>(
    ...['metric', 'resource', 'history', '--type', 'instance', server],
  );
  expect(history.at(-1)?.revision_end).toBeNull();
  const found = await openstack.json<{ id: string }[]>('metric', 'resource', 'search', 'type=instance');
  expect(found.map(({ id }) => id)).toEqual([server]);

  const metrics = await openstack.json<{ id: string; name: string; resource_id: string }[]>('metric', 'list');
  const metric = metrics.find((one) => one.name === 'disk.read.bytes' && one.resource_id === server)?.id ?? '';
  expect(metric).toBe(shown.metrics['disk.read.bytes']);
  expect(await openstack.json('metric', 'show', metric)).toMatchObject({ name: 'disk.read.bytes', unit: 'bytes' });

  const measures = await openstack.json<{ timestamp: string; granularity: number; value: number }[]>(
    ...['metric', 'measures', 'show', '--utc', '--aggregation', 'rate:sum', '--granularity', '3600'],
    ...['--start', new Date(startMs).toISOString(), metric],
  );
  expect(measures.map(({ timestamp, value }) => [Date.parse(timestamp), value])).toEqual([
    [startMs, 360_000],
    [startMs + HOUR_MS, 360_000],
  ]);
  const named = ['metric', 'measures', 'show', '--utc', '--granularity', '60', '--resource-id', server, 'memory.usage'];
  const memory = await openstack.json<{ value: number }[]>(...named);
  expect(new Set(memory.map(({ value }) => value))).toEqual(new Set([4_096]));
  const together = await openstack.json<{ group: string; value: number }[]>(
    ...['metric', 'measures', 'aggregation', '--utc', '-m', 'disk.read.bytes', '--aggregation', 'rate:sum'],
    ...['--granularity', '3600', '--query', 'type=instance', '--groupby', 'project_id'],
    ...['--start', new Date(startMs).toISOString()],
  );
  expect(together.map(({ value }) => value)).toEqual([360_000, 360_000]);
  const operations = '(aggregate sum (metric disk.read.bytes rate:sum))';
  const hours = ['--granularity', '3600', '--start', new Date(startMs).toISOString()];
  const summed = await openstack.json<{ value: number }[]>(
    ...['metric', 'aggregates', operations, 'type=instance', ...hours],
  );
  expect(summed.map(({ value }) => value)).toEqual([360_000, 360_000]);
  expect(await openstack.json('metric', 'archive-policy', 'list')).toHaveLength(2);
  expect(await openstack.text('metric', 'resource-type', 'list')).toContain('instance_network_interface');
  await expect(openstack.text('metric', 'show', crypto.randomUUID())).rejects.toThrow(/does not exist/);
  expect((await cloud.edge.db.select().from(usageSpans)).some(({ resourceId }) => resourceId === server)).toBe(true);

  async function newServer(): Promise<string> {
    await openstack.text('flavor', 'create', '--ram', '64', '--vcpus', '1', '--disk', '1', 'tiny');
    const { admin } = cloud;
    const { id: imageRef } = await admin.call<{ id: string }>('image', 'POST', '/v2/images', {
      ...{ name: 'i', disk_format: 'raw', container_format: 'bare' },
    });
    const data = new Blob([new Uint8Array(512)]).stream();
    await admin.call('image', 'PUT', `/v2/images/${imageRef}/file`, data, {
      'content-type': 'application/octet-stream',
    });
    const { flavors } = await admin.call<{ flavors: { id: string }[] }>('compute', 'GET', '/flavors');
    const body = { server: { name: 'web', imageRef, flavorRef: flavors[0]?.id, networks: 'none' } };
    const headers = { 'openstack-api-version': 'compute 2.37' };
    const made = await admin.call<{ server: { id: string } }>('compute', 'POST', '/servers', body, headers);
    return made.server.id;
  }
});
