import { afterAll, beforeAll, expect, it } from 'vitest';
import { billingPrices, billingProducts } from '../db/schema/billing.ts';
import { usageSpans } from '../db/schema/metering.ts';
import { loadSecrets } from '../home/secrets.ts';
import { until } from '../home/until.ts';
import { type Cloud, REGION, startCloud } from './cloud.ts';
import { openstackCli } from './openstack-cli.ts';
import { SocketRunner } from './socket-runner.ts';

const HOUR_MS = 3_600_000;
const FARMED_WITHIN_MS = 90_000;
let cloud: Cloud;

beforeAll(async () => {
  cloud = await startCloud();
});
afterAll(() => cloud?.stop());

it('shows what is rated by the openstack client’s own rating commands', async () => {
  const password = loadSecrets(cloud.paths.secrets).adminPassword;
  const openstack = openstackCli(cloud, { user: 'admin', password, project: 'admin' });
  const { projectId } = cloud.admin;
  // A region's rounds begin with its first machine.
  await SocketRunner.join(cloud, 'rated-1');
  // 2.5 hours of a server that began with an hour, some days ago: in one month, whenever this runs.
  const now = new Date();
  const startMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 10, 8);
  const server = crypto.randomUUID();
  await sell(startMs - HOUR_MS);
  await cloud.edge.db.insert(usageSpans).values({
    ...{ region: REGION, projectId, resourceType: 'server', resourceId: server, resourceName: 'web', itemType: 'tiny' },
    ...{ state: 'active', quantity: 1, startMs, endMs: startMs + 2.5 * HOUR_MS },
  });
  const iso = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
  const time = ['--begin', iso(startMs - 24 * HOUR_MS), '--end', iso(startMs + 24 * HOUR_MS)];
  await until('the farmer charges the server', FARMED_WITHIN_MS, async () => {
    const query = `begin=${iso(startMs)}&end=${iso(startMs + 24 * HOUR_MS)}`;
    return (await cloud.admin.call<unknown>('rating', 'GET', `/v1/report/total?${query}`)) === '0.25';
  });

  const rating = (...args: string[]) => openstack.json<Record<string, unknown>[]>('rating', ...args);
  const rating2 = (...args: string[]) =>
    openstack.json<Record<string, unknown>[]>('--rating-api-version', '2', 'rating', ...args);

  // Version 1, which the client speaks unless it is told otherwise.
  expect(await rating('summary', 'get', ...time)).toMatchObject([
    { 'Tenant ID': projectId, 'Resource Type': 'ALL', Rate: '0.25' },
  ]);
  expect(await rating('summary', 'get', ...time, '--all-tenants', '--groupby', 'res_type', 'tenant_id')).toMatchObject([
    { 'Tenant ID': projectId, 'Resource Type': 'server', Rate: '0.25' },
  ]);
  expect(await openstack.json('rating', 'total', 'get', ...time)).toEqual({ Total: 0.25 });
  expect(await rating('report', 'tenant', 'list', ...time)).toEqual([{ 'Tenant ID': projectId }]);
  const frames = await rating('dataframes', 'get', ...time, '--resource_type', 'server');
  expect(frames).toHaveLength(3);
  expect(frames[2]).toMatchObject({
    'Project ID': projectId,
    Resources: [{ service: 'server', volume: '0.5', rating: '0.05', rate_value: '0.1000' }],
  });
  const metric = { Metric: 'server', Unit: 'hours', Metadata: expect.arrayContaining(['flavor_name']) };
  expect(await rating('info', 'metric', 'list')).toEqual([metric]);
  expect(await rating('info', 'metric', 'get', 'server')).toEqual([metric]);
  expect(await rating('info', 'config', 'get')).toMatchObject([{ Section: 'metrics' }]);
  expect(await rating('module', 'list')).toEqual([{ Module: 'billing', Enabled: true, Priority: 1 }]);
  expect(await rating('module', 'get', 'billing')).toEqual([{ Module: 'billing', Enabled: true, Priority: 1 }]);
  await expect(openstack.text('rating', 'module', 'disable', 'billing')).rejects.toThrow(/not configurable/);
  await expect(openstack.text('rating', 'info', 'metric', 'get', 'nothing')).rejects.toThrow(/nothing/);

  // Version 2.
  const grouped = await rating2(
    'summary',
    'get',
    ...time,
    '-g',
    'type',
    '-g',
    'flavor_name',
    '--filter',
    'type:server',
  );
  expect(grouped).toMatchObject([{ Qty: 2.5, Rate: 0.25, Type: 'server', 'Flavor name': 'tiny' }]);
  expect((await rating2('summary', 'get', ...time, '-g', 'time')).map(({ Rate }) => Rate)).toEqual([0.1, 0.1, 0.05]);
  const points = await rating2('dataframes', 'get', ...time, '--filter', `id:${server}`, '--limit', '2');
  expect(points).toMatchObject(
    [1, 1].map((qty) => ({ 'Metric Type': 'server', Unit: 'hours', Quantity: qty, Price: 0.1 })),
  );
  expect(points[0]?.['Group By']).toContain(`id="${server}"`);
  const scope = { 'Scope ID': projectId, 'Scope Key': 'project_id', Collector: 'aerostat', Fetcher: 'aerostat' };
  const scopes = await rating2('scope', 'state', 'get');
  expect(scopes).toMatchObject([scope]);
  expect(Date.parse(String(scopes[0]?.State))).toBe(startMs + 2.5 * HOUR_MS);
  await openstack.text('--rating-api-version', '2', 'rating', 'scope', 'state', 'reset', '-a', iso(startMs));
  const bounds = ['--start-reprocess-time', iso(startMs), '--end-reprocess-time', iso(startMs + HOUR_MS)];
  await openstack.text(
    ...['--rating-api-version', '2', 'rating', 'tasks', 'reprocessing', 'create'],
    ...['--scope-id', projectId, '--reason', 'to see', ...bounds],
  );
  expect(await rating2('tasks', 'reprocessing', 'get')).toMatchObject([{ 'Scope ID': projectId, Reason: 'to see' }]);
  expect((await rating2('module', 'list')).map(({ Module }) => Module)).toEqual(['billing']);

  async function sell(fromMs: number): Promise<void> {
    const product = {
      ...{
        id: crypto.randomUUID(),
        region: REGION,
        name: 'tiny',
        item: 'server',
        itemType: 'tiny',
        kind: 'time' as const,
      },
      ...{ orderUnit: 'hours', orderSize: 1, interval: 'hourly' as const, prepaid: false, currency: 'EUR' },
      ...{ automatic: true, createdAtMs: fromMs },
    };
    await cloud.edge.db.insert(billingProducts).values(product);
    // By the API a price begins in the future: here it has been in force for a month.
    await cloud.edge.db.insert(billingPrices).values({
      ...{ id: crypto.randomUUID(), region: REGION, productId: product.id, effectiveFromMs: fromMs },
      ...{ terms: { model: 'per_unit', unit_price: '0.10', included: '0', minimum: '0', weights: {} } },
      ...{ createdBy: 'test', createdAtMs: fromMs },
    });
  }
});
