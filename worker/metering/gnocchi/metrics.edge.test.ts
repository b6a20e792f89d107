import { env, runInDurableObject } from 'cloudflare:test';
import { beforeAll, describe, expect, it } from 'vitest';
import { meterProgress, meterRefusals, meterWindows } from '../../../db/schema/metering.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { call } from '../../../test/edge-client.ts';
import { addPort, addServer } from '../../../test/edge-meter.ts';
import { type Actor, mintActor } from '../../../test/edge-tokens.ts';
import type { Env } from '../../env.ts';
import { askPoints } from '../ask-points.ts';
import { runnerMeter } from '../runner-meter.ts';

const HOUR_MS = 3_600_000;
const METER = 'network.incoming.bytes';
let cloud: ComputeCloud;
let runnerId: string;
let server: string;
let port: string;
let other: string;
/** A border of hours, two or three hours ago: the points of ten seconds are still there. */
const startMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 2 * HOUR_MS;

async function ask<T = unknown>(path: string, of: { as?: Actor; body?: unknown; status?: number } = {}): Promise<T> {
  const { as = cloud.user, body, status = 200 } = of;
  const method = body === undefined ? 'GET' : 'POST';
  const sent = body === undefined ? {} : { body };
  const response = await call(method, `/r/${cloud.region}/metric/v1${path}`, { token: as.token, ...sent });
  const text = await response.text();
  if (response.status !== status) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

type Measures = [string, number, number][];
const iso = (ms: number) => new Date(ms).toISOString().replace('.000Z', '+00:00');

beforeAll(async () => {
  cloud = await ComputeCloud.open();
  const { region, ctx } = cloud;
  runnerId = await cloud.addRunner();
  const its = { region, ctx, runnerId };
  const projectId = cloud.user.projectId;
  server = await addServer(its, {
    projectId,
    name: 'web',
    createdAtMs: startMs - HOUR_MS,
    updatedAtMs: startMs - HOUR_MS,
  });
  port = await addPort(its, { projectId, createdAtMs: startMs - HOUR_MS });
  other = await addPort(its, { projectId: 'another', createdAtMs: startMs - HOUR_MS });
  const batches = Array.from({ length: 400 }, (_, at) => ({
    seq: at + 1,
    at_ms: startMs + at * 10_000,
    boot_id: 'b',
    samples: [
      { type: 'port', id: port, epoch: 'e', values: { [METER]: at * 100 } },
      { type: 'port', id: other, epoch: 'e', values: { [METER]: at * 7 } },
      { type: 'server', id: server, epoch: 'e', values: { 'memory.usage': 1_000 + (at % 2) * 500, 'cpu.time': at } },
    ],
  }));
  const links = (env as unknown as Env).RUNNER_LINK;
  await runInDurableObject(links.get(links.idFromName(runnerId)), async (_link, { storage }) => {
    const meter = runnerMeter(storage);
    for (let at = 0; at < batches.length; at += 100) {
      const message = { type: 'metered' as const, spool_id: 's', batches: batches.slice(at, at + 100) };
      await meter.take(ctx, { runnerId, session: '1', message });
    }
    await meter.round(ctx);
  });
});

describe('resources', () => {
  it('are those of the project, with the metrics of their type', async () => {
    const all = await ask<{ id: string; type: string; metrics: object; ended_at: null }[]>('/resource/generic');
    expect(new Set(all.map(({ id }) => id))).toEqual(new Set([server, port]));
    expect(all.find(({ id }) => id === server)).toMatchObject({
      ...{ type: 'instance', project_id: cloud.user.projectId, ended_at: null, started_at: iso(startMs - HOUR_MS) },
      metrics: { 'cpu.time': expect.any(String), 'memory.usage': expect.any(String) },
    });
    const operators = await ask<{ id: string }[]>('/resource/generic', { as: cloud.admin });
    expect(operators.map(({ id }) => id)).toEqual(expect.arrayContaining([server, port, other, runnerId]));
    expect(await ask('/resource/instance')).toMatchObject([{ id: server, display_name: 'web', flavor_name: 'small' }]);
  });

  it('are told in pages, in the order of their ids', async () => {
    const [first, second] = [server, port].sort();
    expect(await ask('/resource/generic?limit=1')).toMatchObject([{ id: first }]);
    expect(await ask(`/resource/generic?limit=1&marker=${first}`)).toMatchObject([{ id: second }]);
  });

  it('have a history of what they were', async () => {
    const id = await cloud.create();
    await cloud.addRunner();
    const before = await ask<{ state: string; revision_end: string | null }[]>(`/resource/instance/${id}/history`);
    expect(before.at(-1)?.revision_end).toBeNull();
    await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
    const { runnerId: host } = await cloud.row(id);
    if (host !== null) await cloud.observe(id, { state: 'absent' });
    const after = await ask<{ state: string; ended_at: string | null; revision_end: string | null }[]>(
      `/resource/instance/${id}/history`,
    );
    expect(after.at(-1)?.ended_at).toBe(after.at(-1)?.revision_end);
    expect(after.at(-1)?.revision_end).not.toBeNull();
  });

  it('are found by what they are', async () => {
    const lives = { and: [{ '=': { type: 'instance' } }, { '=': { ended_at: null } }] };
    expect(await ask('/search/resource/generic', { body: lives })).toMatchObject([{ id: server }]);
    const both = { and: [{ '!=': { type: 'instance' } }, { in: { id: [port, server] } }] };
    expect(await ask('/search/resource/generic', { body: both })).toMatchObject([{ id: port }]);
    expect(await ask('/search/resource/generic', { body: { magic: { type: 1 } }, status: 400 })).toMatchObject({
      description: "Invalid input: 'magic' is no operator with an attribute.",
    });
  });

  it('of others are not there', async () => {
    expect(await ask(`/resource/generic/${other}`, { status: 404 })).toMatchObject({
      description: `Resource ${other} does not exist`,
    });
    expect(await ask('/resource/spaceship', { status: 404 })).toMatchObject({
      description: 'Resource type spaceship does not exist',
    });
  });
});

describe('metrics', () => {
  it('have ids that lead back to them', async () => {
    const all = await ask<{ id: string; name: string; resource_id: string }[]>('/metric');
    for (const { id, name, resource_id } of all.slice(0, 5))
      expect(await ask(`/metric/${id}`)).toMatchObject({ id, name, resource: { id: resource_id } });
    const paged: unknown[] = [];
    for (let marker: string | undefined; ; ) {
      const page = await ask<typeof all>(`/metric?limit=3${marker ? `&marker=${marker}` : ''}`);
      paged.push(...page);
      marker = page.at(-1)?.id;
      if (page.length < 3) break;
    }
    expect(paged).toEqual(all);
    const nothing = crypto.randomUUID();
    expect(await ask(`/metric/${nothing}`, { status: 404 })).toMatchObject({
      description: `Metric ${nothing} does not exist`,
    });
  });

  it('are only read', async () => {
    expect(await ask('/metric', { body: {}, status: 405 })).toMatchObject({ code: 405, title: 'Method Not Allowed' });
  });
});

describe('measures', () => {
  const measures = (query: string, of = `/resource/generic/${'PORT'}/metric/${METER}`) =>
    ask<Measures>(`${of.replace('PORT', port)}/measures?${query}`);

  it('tell what a counter rose by, in each of the periods', async () => {
    const tens = await measures('aggregation=rate:sum&granularity=10');
    // The first says no rate, and what is read at a border is of the time before.
    expect(tens[0]).toEqual([iso(startMs), 10, 100]);
    expect(new Set(tens.map(([, , value]) => value))).toEqual(new Set([100]));
    expect(tens).toHaveLength(399);
    const minutes = await measures(`aggregation=rate:sum&granularity=60&stop=${(startMs + HOUR_MS) / 1000}`);
    expect(minutes).toHaveLength(60);
    expect(new Set(minutes.map(([, , value]) => value))).toEqual(new Set([600]));
    expect((await measures('aggregation=rate:mean&granularity=60'))[5]?.[2]).toBe(100);
  });

  it('of hours are of windows as they were sealed, and of points where they are not', async () => {
    const sealed = await cloud.ctx.db.select().from(meterWindows);
    expect(sealed.filter((one) => one.resourceId === port && one.startMs >= startMs)).toMatchObject([
      { startMs, value: 36_000 },
    ]);
    expect(await measures(`aggregation=rate:sum&granularity=3600&start=${startMs / 1000}`)).toEqual([
      [iso(startMs), 3_600, 36_000],
      [iso(startMs + HOUR_MS), 3_600, 3_900],
    ]);
  });

  it('are of all periods where none is named, the longest first', async () => {
    const all = await measures('aggregation=rate:sum');
    expect([...new Set(all.map(([, granularity]) => granularity))]).toEqual([3_600, 60, 10]);
  });

  it('of a gauge are its mean, least, most and last, and how many there are', async () => {
    const of = `/resource/instance/${server}/metric/memory.usage`;
    const minute = async (aggregation: string) =>
      (await measures(`aggregation=${aggregation}&granularity=60&start=${(startMs + 60_000) / 1000}`, of))[0]?.[2];
    expect(await minute('mean')).toBe(1_250);
    expect(await minute('min')).toBe(1_000);
    expect(await minute('max')).toBe(1_500);
    expect(await minute('count')).toBe(6);
    expect(await minute('sum')).toBe(7_500);
    const refused = await ask(`${of}/measures?aggregation=rate:mean`, { status: 400 });
    expect(refused).toMatchObject({ description: "Aggregation method 'rate:mean' does not exist for this metric." });
  });

  it.each([
    ['granularity=7', /10, 60 and 3600/],
    ['aggregation=magic', /does not exist for this metric/],
    ['start=yesterday', /is no time/],
    ['start=2026-01-02&stop=2026-01-01', /start is after stop/],
  ])('are refused for what is not kept: %s', async (query, why) => {
    const { description } = await ask<{ description: string }>(
      `/resource/generic/${port}/metric/${METER}/measures?${query}`,
      { status: 400 },
    );
    expect(description).toMatch(why);
  });
});

describe('aggregates', () => {
  it('put the resources of a project together, or each of its groups', async () => {
    const path = `/aggregation/resource/generic/metric/${METER}?aggregation=rate:sum&granularity=3600&start=${startMs / 1000}&stop=${iso(startMs + HOUR_MS).replace('+', '%2B')}`;
    expect(await ask(path, { body: {} })).toEqual([[iso(startMs), 3_600, 36_000]]);
    const ours = { in: { id: [port, other] } };
    expect(await ask(path, { body: ours, as: cloud.admin })).toEqual([[iso(startMs), 3_600, 36_000 + 7 * 360]]);
    const groups = await ask<{ group: { project_id: string } }[]>(`${path}&groupby=project_id`, {
      body: ours,
      as: cloud.admin,
    });
    expect(new Set(groups)).toEqual(
      new Set([
        { group: { project_id: cloud.user.projectId }, measures: [[iso(startMs), 3_600, 36_000]] },
        { group: { project_id: 'another' }, measures: [[iso(startMs), 3_600, 7 * 360]] },
      ]),
    );
  });
});

it('does operations that read: metrics each by itself, together, and by groups', async () => {
  const query = `granularity=3600&start=${startMs / 1000}&stop=${startMs / 1000 + 3_600}`;
  const search = 'type=instance_network_interface';
  const together = `(aggregate sum (metric ${METER} rate:sum))`;
  expect(await ask(`/aggregates?${query}`, { body: { operations: together, search } })).toEqual({
    measures: { aggregated: [[iso(startMs), 3_600, 36_000]] },
  });
  const lists = ['metric', METER, 'rate:sum'];
  expect(await ask(`/aggregates?${query}`, { body: { operations: lists, search: { '=': { id: port } } } })).toEqual({
    measures: { [port]: { [METER]: { 'rate:sum': [[iso(startMs), 3_600, 36_000]] } } },
  });
  expect(await ask(`/aggregates?${query}&groupby=id`, { body: { operations: together, search } })).toEqual([
    { group: { id: port }, measures: { measures: { aggregated: [[iso(startMs), 3_600, 36_000]] } } },
  ]);
  for (const operations of ['(rolling mean 3 (metric x mean))', '((((((', ')', 'metric', 7, ['aggregate', 'mean']])
    expect(await ask('/aggregates', { body: { operations }, status: 400 })).toMatchObject({ code: 400 });
});

it('has fixed archive policies, types and capabilities', async () => {
  const policies = await ask<{ name: string; definition: object[] }[]>('/archive_policy');
  expect(policies.map(({ name }) => name)).toEqual(['counter', 'gauge']);
  expect(policies[0]?.definition[0]).toEqual({ granularity: '0:00:10', points: 1_080, timespan: '3:00:00' });
  expect(policies[0]?.definition[1]).toEqual({ granularity: '0:01:00', points: 4_320, timespan: '3 days, 0:00:00' });
  expect(await ask('/resource_type/instance')).toMatchObject({ attributes: { flavor_name: { type: 'string' } } });
  expect(await ask('/capabilities')).toMatchObject({ aggregation_methods: expect.arrayContaining(['rate:mean']) });
});

it('tells operators how far windows are sealed, and what was refused', async () => {
  const { region, ctx } = cloud;
  const row = { id: crypto.randomUUID(), region, runnerId, reason: 'jumped', resourceType: 'port', resourceId: port };
  await ctx.db
    .insert(meterRefusals)
    .values({ ...row, meter: METER, count: 3, firstAtMs: 1_000, lastAtMs: 2_000, lastValue: '9' });
  const operator = await mintActor('admin');
  const tell = async (path: string) =>
    (await call('GET', `/r/${region}/aerostat/v1/metering${path}`, { token: operator.token })).json();
  expect(await tell('/refusals?reason=jumped')).toEqual({
    refusals: [
      {
        ...{ runner_id: runnerId, reason: 'jumped', resource: { type: 'port', id: port }, meter: METER, count: 3 },
        ...{ first_at: '1970-01-01T00:00:01.000Z', last_at: '1970-01-01T00:00:02.000Z', last_value: '9' },
      },
    ],
  });
  const { progress } = (await tell('/progress')) as { progress: { runner_id: string }[] };
  expect(progress.find((one) => one.runner_id === runnerId)).toMatchObject({
    sealed_through: new Date(startMs + HOUR_MS).toISOString(),
    refusals: 3,
  });
  expect((await ctx.db.select().from(meterProgress)).length).toBeGreaterThan(0);
  expect(
    await askPoints(ctx, crypto.randomUUID(), { type: 'port', resource: port, meter: METER, fromMs: 0, toMs: 1 }),
  ).toEqual([]);
});
