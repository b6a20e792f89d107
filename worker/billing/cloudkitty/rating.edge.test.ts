import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { BillingWorld } from '../../../test/billing/billing-world.ts';
import { call } from '../../../test/edge-client.ts';
import { type Actor, mintActor } from '../../../test/edge-tokens.ts';
import { GROUPBY, METADATA } from './attributes.ts';

const other = crypto.randomUUID().replaceAll('-', '');
const METER = 'floating_ip.egress.bytes';
const ip = crypto.randomUUID();
let world: BillingWorld;
let admin: Actor;
let reader: Actor;
let vm: string;
let theirs: string;

/**
 * A server of 2.5 hours around the end of January, another's of two hours, and an address that sent 1.5 GB: by the hour, at
 * 0.10 EUR an hour, and 1 EUR a GB.
 */
beforeAll(async () => {
  world = new BillingWorld('2026-01-10T08:30:00Z');
  admin = await mintActor('admin', world.projectId);
  reader = await mintActor('reader', world.projectId);
  await world.product({ name: 'small' });
  await world.product({
    ...{ name: 'egress', item: METER, item_type: 'default', order_unit: 'MB', order_size: 1000 },
    price: world.price({ model: 'per_unit', unit_price: '1' }),
  });
  vm = await world.open('2026-01-31T22:30:00Z', { resourceName: 'web' });
  theirs = await world.open('2026-01-31T22:00:00Z', { projectId: other, resourceName: 'db' });
  await world.change(vm, '2026-02-01T01:00:00Z', null);
  await world.change(theirs, '2026-02-01T00:00:00Z', null);
  await world.seal(ip, '2026-01-31T22:00:00Z', 1.5e9);
  await world.farm('2026-02-01T03:00:00Z');
});

type Json = ReturnType<typeof JSON.parse>;
async function ask(path: string, of: { as?: Actor; method?: string; body?: unknown; status?: number } = {}) {
  const { as = admin, body, method = 'GET', status = 200 } = of;
  const sent = body === undefined ? {} : { body };
  const response = await call(method, `/r/${world.region}/rating${path}`, { token: as.token, ...sent });
  const text = await response.text();
  if (response.status !== status) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text) as Json;
}

const TIME = 'begin=2026-01-01T00:00:00Z&end=2026-03-01T00:00:00Z';
const BEGIN = '2026-01-01T00:00:00+00:00';
const END = '2026-03-01T00:00:00+00:00';
const summary = (more: string, of: Parameters<typeof ask>[1] = {}) => ask(`/v2/summary?${TIME}${more}`, of);

it('tells its versions to anybody', async () => {
  const { versions } = (await (await call('GET', '/rating/')).json()) as Json;
  expect(versions.map(({ id, status }: Json) => [id, status])).toEqual([
    ['v1', 'SUPPORTED'],
    ['v2', 'CURRENT'],
  ]);
  expect(versions[1].links).toEqual([{ rel: 'self', href: expect.stringMatching(/\/rating\/v2$/) }]);
});

describe('the summary', () => {
  it('of all is one row, and as an object', async () => {
    // 2.5 and 2 hours, and 1.5 GB: quantities are summed as CloudKitty does, whatever they count.
    expect(await summary('')).toEqual({
      total: 1,
      columns: ['begin', 'end', 'qty', 'rate'],
      results: [[BEGIN, END, 6, 1.95]],
      format: 'table',
    });
    expect(await summary('&response_format=object')).toEqual({
      total: 1,
      results: [{ begin: BEGIN, end: END, qty: 6, rate: 1.95 }],
      format: 'object',
    });
  });

  it('is of the own project for its members, whatever they filter by', async () => {
    const own = [[BEGIN, END, 4, 1.75]];
    expect((await summary('', { as: reader })).results).toEqual(own);
    expect((await summary(`&filters=project_id:${other}`, { as: reader })).results).toEqual([]);
    expect((await summary(`&filters=project_id:${other}`)).results).toEqual([[BEGIN, END, 2, 0.2]]);
  });

  it('is grouped by what is asked', async () => {
    const { columns, results, total } = await summary('&groupby=type,project_id');
    expect([total, columns]).toEqual([3, ['begin', 'end', 'qty', 'rate', 'type', 'project_id']]);
    expect(results.map((row: Json[]) => row.slice(2))).toEqual(
      [
        [1.5, 1.5, METER, world.projectId],
        [2, 0.2, 'server', other],
        [2.5, 0.25, 'server', world.projectId],
      ].sort(
        (a, b) =>
          String(a[2]).localeCompare(String(b[2])) || String(a[3]).localeCompare(String(b[3]), 'en', { numeric: true }),
      ),
    );
    const more = await summary(
      '&groupby=id&groupby=name&groupby=flavor_name&groupby=currency&filters=type:server&filters=name:web',
    );
    expect(more.results.map((row: Json[]) => row.slice(2))).toEqual([[2.5, 0.25, vm, 'web', 'm1', 'EUR']]);
  });

  it.each(['type', ...GROUPBY, ...METADATA])(
    'by %s alone has the same sum, and each part is found by it',
    async (name) => {
      const parts = (await summary(`&groupby=${name}&response_format=object`)).results;
      expect(parts.reduce((sum: number, { rate }: Json) => sum + rate, 0)).toBeCloseTo(1.95, 9);
      for (const part of parts) {
        // An empty value is one, too.
        const [row] = (await summary(`&filters=${name}:${part[name]}`)).results;
        expect(row.slice(2)).toEqual([part.qty, part.rate]);
        await ask(`/v2/dataframes?${TIME}&limit=1&filters=${name}:${part[name]}`);
      }
    },
  );

  it('is by hours, days, weeks, months and years', async () => {
    const web = '&filters=name:web';
    const hours = await summary(`${web}&groupby=time`);
    expect([hours.columns, hours.results]).toEqual([
      ['begin', 'end', 'qty', 'rate'],
      [
        ['2026-01-31T22:00:00+00:00', '2026-01-31T23:00:00+00:00', 0.5, 0.05],
        ['2026-01-31T23:00:00+00:00', '2026-02-01T00:00:00+00:00', 1, 0.1],
        ['2026-02-01T00:00:00+00:00', '2026-02-01T01:00:00+00:00', 1, 0.1],
      ],
    ]);
    const parts = await summary(`${web}&groupby=time-y&groupby=time-m&groupby=time-w&groupby=time-d`);
    expect(parts.columns.slice(4)).toEqual(['year', 'month', 'week_of_the_year', 'day_of_the_year']);
    // The first of February 2026 is a Sunday.
    expect(parts.results.map((row: Json[]) => row.slice(2))).toEqual([
      [1.5, 0.15, '2026', '1', '4', '31'],
      [1, 0.1, '2026', '2', '5', '32'],
    ]);
    expect((await ask(`/v2/summary?${TIME}&groupby=time-u`, { status: 400 })).message).toContain('[time-u]');
  });

  it('comes in pages', async () => {
    const page = await summary('&groupby=time&limit=2&offset=1&response_format=object');
    expect([page.total, page.results.map(({ begin }: Json) => begin)]).toEqual([
      3,
      ['2026-01-31T23:00:00+00:00', '2026-02-01T00:00:00+00:00'],
    ]);
    expect(await summary('&offset=7')).toEqual({ total: 1, columns: [], results: [], format: 'table' });
  });

  it('is of when a service began: from begin on, and before end', async () => {
    const of = (begin: string, end: string) => ask(`/v2/summary?begin=${begin}&end=${end}&filters=type:server`);
    const [march] = (await of('2026-02-01%2000:00:00%2B00:00', '2026-03-01')).results;
    expect(march.slice(2)).toEqual([1, 0.1]);
    const [whole] = (await of('2026-01-31T23:30:00%2B01:00', '2026-02-01T00:00:00')).results;
    expect(whole.slice(2)).toEqual([2.5, 0.25]);
    expect((await ask('/v2/summary?end=2026-01-31T23:00:00Z')).results[0].slice(0, 2)).toEqual([
      '2026-01-01T00:00:00+00:00',
      '2026-01-31T23:00:00+00:00',
    ]);
  });

  it('never sums two currencies', async () => {
    const two = new BillingWorld('2026-01-10T08:30:00Z');
    await two.product();
    const yen = { item_type: 'm2', currency: 'JPY', price: two.price({ model: 'per_unit', unit_price: '7' }) };
    await two.product(yen);
    await two.open('2026-01-10T09:00:00Z');
    await two.open('2026-01-10T09:00:00Z', { itemType: 'm2' });
    await two.farm('2026-01-10T12:30:00Z');
    const get = async (path: string) => {
      const response = await call('GET', `/r/${two.region}/rating${path}`, { token: admin.token });
      return { status: response.status, body: (await response.json()) as Json };
    };
    const { columns, results } = (await get(`/v2/summary?${TIME}`)).body;
    expect(columns).toEqual(['begin', 'end', 'qty', 'rate', 'currency']);
    expect(results.map((row: Json[]) => row.slice(2))).toEqual([
      [3, 0.3, 'EUR'],
      [3, 21, 'JPY'],
    ]);
    expect((await get(`/v2/summary?${TIME}&filters=currency:JPY`)).body.results).toEqual([[BEGIN, END, 3, 21]]);
    const total = await get(`/v1/report/total?all_tenants=true&${TIME}`);
    expect([total.status, total.body.faultstring]).toEqual([400, expect.stringMatching(/EUR and JPY/)]);
    const { summary: rows } = (await get(`/v1/report/summary?all_tenants=true&${TIME}`)).body;
    expect(rows.map(({ rate, currency }: Json) => [rate, currency])).toEqual([
      ['0.30', 'EUR'],
      ['21', 'JPY'],
    ]);
  });

  it('is exact: a third of an hour three times is one, and long numerators are not lost', async () => {
    const long = new BillingWorld('2026-01-10T08:30:00Z');
    await long.product({ quantity_per: 2 ** 50 - 1, order_size: 7 });
    const id = await long.open('2026-01-10T09:20:00Z', { quantity: 2 ** 49 });
    await long.change(id, '2026-01-10T12:40:00Z', null);
    await long.farm('2026-01-10T13:30:00Z');
    const [{ n }] = (await long.ctx.db.all(
      sql`SELECT max(length(quantity)) AS n FROM billing_purchases WHERE region = ${long.region}`,
    )) as Json[];
    expect(n).toBeGreaterThan(20);
    const path = `/r/${long.region}/rating/v2/summary?${TIME}`;
    const { results } = (await (await call('GET', path, { token: admin.token })).json()) as Json;
    // 10/3 hours times 2^49 / (2^50 - 1), in sevens of hours.
    expect(results[0][2]).toBeCloseTo(10 / 42, 14);
  });

  it.each([
    ['&begin=yesterday', /is no time/],
    ['&begin=2026-01-01&begin=2026-01-02', /there once/],
    ['&begin=2026-02-02&end=2026-02-02', /begin must be before end/],
    ['&limit=0', /limit/],
    ['&offset=-1', /offset/],
    ['&groupby=colour', /Invalid groupby 'colour'/],
    ['&filters=colour:red', /Invalid filter 'colour'/],
    ['&filters=colour', /no key:value/],
    ['&response_format=xml', /response_format/],
    ['&colour=red', /colour/],
  ])('refuses %s', async (more, message) => {
    expect((await ask(`/v2/summary?${more.slice(1)}`, { status: 400 })).message).toMatch(message);
  });
});

describe('dataframes', () => {
  const point = (qty: number, price: number) => ({
    vol: { unit: 'hours', qty },
    rating: { price },
    groupby: { project_id: world.projectId, id: vm },
    metadata: {
      name: 'web',
      item_type: 'm1',
      flavor_name: 'm1',
      product: 'small',
      currency: 'EUR',
      price_id: expect.any(String),
    },
    desc: expect.objectContaining({ id: vm, name: 'web', project_id: world.projectId }),
  });

  it('are what was booked, by the time that it is for', async () => {
    expect(await ask(`/v2/dataframes?${TIME}&filters=id:${vm}`)).toEqual({
      total: 3,
      dataframes: [
        {
          period: { begin: '2026-01-31T22:30:00+00:00', end: '2026-01-31T23:00:00+00:00' },
          usage: { server: [point(0.5, 0.05)] },
        },
        {
          period: { begin: '2026-01-31T23:00:00+00:00', end: '2026-02-01T00:00:00+00:00' },
          usage: { server: [point(1, 0.1)] },
        },
        {
          period: { begin: '2026-02-01T00:00:00+00:00', end: '2026-02-01T01:00:00+00:00' },
          usage: { server: [point(1, 0.1)] },
        },
      ],
    });
    const metered = await ask(`/v2/dataframes?${TIME}&filters=type:${METER}`);
    expect(metered.dataframes[0].usage[METER]).toMatchObject([
      { vol: { unit: '1000 MB', qty: 1.5 }, rating: { price: 1.5 }, groupby: { id: ip } },
    ]);
  });

  it('of one time are together, of all for an admin, of the own project for others, in pages of points', async () => {
    const all = await ask(`/v2/dataframes?${TIME}&filters=type:server`);
    expect([all.total, all.dataframes.map(({ usage }: Json) => usage.server.length)]).toEqual([5, [1, 1, 2, 1]]);
    const own = await ask(`/v2/dataframes?${TIME}&filters=type:server`, { as: reader });
    expect(own.total).toBe(3);
    const page = await ask(`/v2/dataframes?${TIME}&filters=type:server&offset=2&limit=2`);
    expect([page.total, page.dataframes.map(({ usage }: Json) => usage.server.length)]).toEqual([5, [2]]);
    const none = await ask('/v2/dataframes?begin=2020-01-01&end=2020-02-01', { status: 404 });
    expect(none).toEqual({ message: 'No resource found for provided filters.' });
  });

  it('of v1 are of one project each, in exact texts', async () => {
    const { dataframes } = await ask(`/v1/storage/dataframes?${TIME}&resource_type=server&tenant_id=${other}`);
    expect(dataframes).toMatchObject([
      {
        ...{ begin: '2026-01-31T22:00:00', end: '2026-01-31T23:00:00', tenant_id: other },
        resources: [{ service: 'server', volume: '1', rating: '0.10', desc: { id: theirs, name: 'db' } }],
      },
      { begin: '2026-01-31T23:00:00', end: '2026-02-01T00:00:00' },
    ]);
    expect((await ask(`/v1/storage/dataframes?${TIME}`)).dataframes).toHaveLength(6);
    expect((await ask(`/v1/storage/dataframes?${TIME}`, { as: reader })).dataframes).toHaveLength(4);
  });
});

describe('scopes', () => {
  it('are the projects, and how far they are charged', async () => {
    const { results } = await ask('/v2/scope');
    expect(results).toHaveLength(2);
    const [own] = (await ask(`/v2/scope?scope_id=${world.projectId}`)).results;
    expect(own).toEqual({
      ...{ scope_id: world.projectId, scope_key: 'project_id', fetcher: 'aerostat', collector: 'aerostat' },
      // The address sent nothing since; the machine's hours are sealed through 23:00.
      ...{ state: '2026-01-31T23:00:00+00:00', last_processed_timestamp: '2026-01-31T23:00:00+00:00' },
      ...{ active: true, scope_activation_toggle_date: null },
    });
    const [theirs] = (await ask('/v2/scope?active=0')).results;
    expect([theirs.scope_id, theirs.state]).toEqual([other, '2026-02-01T00:00:00+00:00']);
    expect((await ask('/v2/scope?limit=1&offset=1')).results).toEqual([results[1]]);
    for (const nowhere of ['scope_id=x', 'collector=gnocchi', 'offset=2'])
      await ask(`/v2/scope?${nowhere}`, { status: 404 });
    expect((await ask('/v2/scope?active=blue', { status: 400 })).message).toContain('0 or 1');
  });
});

describe('reports of v1', () => {
  const row = { begin: '2026-01-01T00:00:00', end: '2026-03-01T00:00:00', currency: 'EUR' };
  const report = (more: string, of: Parameters<typeof ask>[1] = {}) => ask(`/v1/report/summary?${TIME}${more}`, of);

  it('are of the own project, of another that is named, or of all', async () => {
    const own = { ...row, tenant_id: world.projectId, res_type: 'ALL', rate: '1.75' };
    expect(await report('')).toEqual({ summary: [own] });
    expect(await report('', { as: reader })).toEqual({ summary: [own] });
    expect((await report(`&tenant_id=${other}`)).summary).toEqual([{ ...own, tenant_id: other, rate: '0.20' }]);
    expect((await report('&all_tenants=True')).summary).toEqual([{ ...own, tenant_id: 'ALL', rate: '1.95' }]);
    expect(await report('&all_tenants=True', { as: reader, status: 403 })).toMatchObject({ faultcode: 'Client' });
    expect(await report(`&tenant_id=${other}`, { as: reader, status: 403 })).toMatchObject({ faultcode: 'Client' });
    expect((await report('&groupby=res_type,tenant_id&service=server&all_tenants=1')).summary).toEqual(
      [
        { ...row, tenant_id: other, res_type: 'server', rate: '0.20' },
        { ...row, tenant_id: world.projectId, res_type: 'server', rate: '0.25' },
      ].sort((a, b) => a.tenant_id.localeCompare(b.tenant_id, 'en', { numeric: true })),
    );
  });

  it('total, and name the projects', async () => {
    expect(await ask(`/v1/report/total?${TIME}`)).toBe('1.75');
    expect(await ask('/v1/report/total?begin=2020-01-01&end=2020-02-01')).toBe('0');
    expect(await ask(`/v1/report/tenants?${TIME}`)).toEqual([world.projectId, other].sort());
    expect(await ask('/v1/report/tenants?begin=2020-01-01&end=2020-02-01')).toEqual([]);
  });
});

describe('what is rated', () => {
  const server = { metric_id: 'server', unit: 'hours', metadata: expect.arrayContaining(['flavor_name']) };

  it('is told as metrics, and as a configuration', async () => {
    const metered = { ...server, metric_id: METER, unit: '1000 MB' };
    expect(await ask('/v1/info/metrics/')).toEqual({ metrics: [metered, server] });
    expect(await ask('/v1/info/services', { as: reader })).toEqual({ metrics: [metered, server] });
    expect(await ask('/v1/info/metrics/server')).toEqual(server);
    expect(await ask('/v1/info/metrics/cpu', { status: 404 })).toMatchObject({ faultstring: 'cpu' });
    const { metrics } = await ask('/v1/info/config');
    expect(metrics.server).toMatchObject({ unit: 'hours', groupby: ['project_id', 'id'] });
  });

  it('is by one module, which nobody changes', async () => {
    const module = { module_id: 'billing', enabled: true, priority: 1 };
    expect((await ask('/v1/rating/modules/')).modules).toMatchObject([{ ...module, 'hot-config': true }]);
    expect(await ask('/v1/rating/modules/billing?module_id=billing')).toMatchObject(module);
    expect(await ask('/v2/rating/modules')).toMatchObject({ modules: [{ ...module, hot_config: true }] });
    expect(await ask('/v2/rating/modules/billing')).toMatchObject(module);
    await ask('/v1/rating/modules/hashmap', { status: 404 });
    for (const version of ['v1', 'v2']) {
      const put = { method: 'PUT', body: { enabled: false } };
      await ask(`/${version}/rating/modules/billing`, { ...put, status: 409 });
      await ask(`/${version}/rating/modules/hashmap`, { ...put, status: 404 });
    }
  });

  it('is quoted: so many for an hour, or so much of what is metered', async () => {
    const quote = (resources: unknown[], status = 200) =>
      ask('/v1/rating/quote/', { method: 'POST', body: { resources }, as: reader, status });
    // Prices here hold since January 2026, by the real clock of the edge.
    const server = { service: 'server', desc: { flavor_name: 'm1', image_id: 'x' }, volume: '3' };
    expect(await quote([server])).toBe(0.3);
    expect(await quote([server, { service: METER, volume: 2.5 }])).toBe(2.8);
    expect(await quote([{ ...server, volume: '0.005' }])).toBe(0.0005);
    expect(await quote([{ ...server, desc: { flavor_name: 'm9' } }])).toBe(0);
    expect(await quote([])).toBe(0);
    expect((await quote([{ service: 'unicorn' }], 400)).faultstring).toContain("'unicorn'");
    expect((await quote([{ ...server, volume: '-1' }], 400)).faultstring).toContain('volume');
  });
});

it('answers what is not there, and not so', async () => {
  expect(await ask('/v1/collector/mappings', { status: 404 })).toMatchObject({ faultcode: 'Client' });
  expect(await ask('/v2/summary', { method: 'DELETE', status: 405 })).toMatchObject({ message: expect.any(String) });
});

describe('rating again', () => {
  const DIRTY = () =>
    world.ctx.db.all<{ id: string; dirty: number }>(
      sql`SELECT resource_id AS id, dirty_from_ms AS dirty FROM billing_subscriptions WHERE region = ${world.region} AND dirty_from_ms IS NOT NULL ORDER BY dirty_from_ms`,
    );
  const time = { start_reprocess_time: '2026-01-31T22:00:00Z', end_reprocess_time: '2026-01-31T23:00:00Z' };
  const reprocess = (more: object, status = 202) =>
    ask('/v2/task/reprocess', {
      method: 'POST',
      body: { scope_ids: [world.projectId], reason: 'why', ...time, ...more },
      status,
    });

  it('refuses what CloudKitty refuses of a reprocess', async () => {
    const refused: [object, RegExp][] = [
      [{ reason: ' ' }, /blank/],
      [{ scope_ids: ['x'] }, /\[x\].*do not exist/],
      [{ scope_ids: ['ALL', world.projectId] }, /'ALL'/],
      [{ end_reprocess_time: '2026-01-31T21:00:00Z' }, /less than/],
      [
        { end_reprocess_time: '2026-01-31T22:10:00Z' },
        /near the provided one is \[2026-01-31T22:00:00\+00:00, 2026-01-31T23:00:00\+00:00\]/,
      ],
      [{ end_reprocess_time: time.start_reprocess_time }, /near the provided one/],
      [{ end_reprocess_time: '2026-02-01T00:00:00Z' }, /after the last possible timestamp \[2026-01-31T23/],
      [{ start_reprocess_time: '2020-01-01T00:00:00Z' }, /400 days/],
      [{ colour: 'red' }, /colour/],
    ];
    for (const [more, message] of refused) expect((await reprocess(more, 400)).message).toMatch(message);
    expect(await DIRTY()).toEqual([]);
    expect(await ask('/v2/task/reprocesses')).toEqual({ results: [] });
  });

  it('waits for the farmer, once for a time, and then books only what differs', async () => {
    const before = await world.cents();
    expect(await reprocess({})).toEqual({});
    expect((await DIRTY()).map(({ id }) => id)).toEqual(expect.arrayContaining([vm, ip]));
    expect((await reprocess({}, 400)).message).toMatch(/already has a schedule/);
    const task = { scope_id: world.projectId, reason: 'why', start_reprocess_time: '2026-01-31T22:00:00+00:00' };
    const end = '2026-01-31T23:00:00+00:00';
    const waiting = { ...task, end_reprocess_time: end, current_reprocess_time: '' };
    expect(await ask('/v2/task/reprocesses?order=DESC')).toEqual({ results: [waiting] });
    await world.farm('2026-02-01T03:10:00Z');
    expect(await DIRTY()).toEqual([]);
    expect(await world.cents()).toEqual(before);
    const done = { ...waiting, current_reprocess_time: end };
    expect(await ask(`/v2/task/reprocesses/${world.projectId}`)).toEqual({ results: [done] });
    expect(await ask(`/v2/task/reprocesses?scope_ids=${other}`)).toEqual({ results: [] });
    expect(await ask('/v2/task/reprocesses?order=sideways', { status: 400 })).toMatchObject({
      message: expect.any(String),
    });
    expect(await reprocess({})).toEqual({});
    await world.farm('2026-02-01T03:20:00Z');
  });

  it('of scopes that are set back finds what was put right behind the farmer’s back', async () => {
    const reset = (body: object, status: number) => ask('/v2/scope', { method: 'PUT', body, status });
    const state = '2026-01-31T22:00:00Z';
    for (const body of [
      { state },
      { scope_id: other },
      { scope_id: other, all_scopes: true, state },
      { all_scopes: true, state: '2026-02-01T02:00:00Z' },
    ])
      await reset(body, 400);
    await reset({ scope_id: 'x', state }, 404);
    await reset({ all_scopes: true, collector: 'gnocchi', state }, 404);
    // Where triggers do not look: the quantity of what had ended already is put right by hand.
    await world.ctx.db.batch([
      world.ctx.db.run(sql`UPDATE usage_spans SET quantity = 2 WHERE resource_id = ${theirs}`),
      world.ctx.db.run(
        sql`UPDATE billing_subscriptions SET dirty_from_ms = NULL, due_ms = NULL WHERE resource_id = ${theirs}`,
      ),
    ]);
    await world.farm('2026-02-01T03:30:00Z');
    expect((await summary(`&filters=project_id:${other}`)).results).toEqual([[BEGIN, END, 2, 0.2]]);
    expect(await reset({ scope_id: `${other},${world.projectId}`, last_processed_timestamp: state }, 202)).toEqual({});
    await world.farm('2026-02-01T03:40:00Z');
    expect((await summary(`&filters=project_id:${other}`)).results).toEqual([[BEGIN, END, 4, 0.4]]);
    expect(await world.violations()).toEqual([]);
    const audited = await world.ctx.db.all<{ action: string }>(
      sql`SELECT DISTINCT action FROM audit WHERE region = ${world.region} AND action LIKE 'rating:%' ORDER BY 1`,
    );
    expect(audited.map(({ action }) => action)).toEqual(['rating:reprocesses:create', 'rating:scopes:reset']);
  });
});
