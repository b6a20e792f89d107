import { sql } from 'drizzle-orm';
import { beforeEach, expect, it } from 'vitest';
import { call } from '../../../test/edge-client.ts';
import { addPort, batch, MeteredRunner, T0 } from '../../../test/edge-meter.ts';
import { type Actor, mintActor } from '../../../test/edge-tokens.ts';
import { watchAlarms } from './watch-alarms.ts';

const METER = 'network.incoming.bytes';
let runner: MeteredRunner;
let user: Actor;
let port: string;
let seq: number;
beforeEach(async () => {
  runner = new MeteredRunner();
  user = await mintActor('member');
  port = await addPort(runner, { projectId: user.projectId });
  seq = 0;
});

async function ask(method: string, path = '', alarm?: Record<string, unknown>, as = user) {
  const url = `/r/${runner.region}/aerostat/v1/metering/alarms${path}`;
  const response = await call(method, url, { token: as.token, ...(alarm ? { body: { alarm } } : {}) });
  const text = await response.text();
  return { status: response.status, text, alarm: (text === '' ? {} : JSON.parse(text)).alarm as { id: string } };
}
const wanted = () => ({
  ...{ name: 'busy', resource_id: port, meter: METER, statistic: 'rate' },
  ...{ comparison: 'gt', threshold: 100, window_s: 60 },
});

/** What the port's counter stands at, each ten seconds of a minute; then the alarms are looked at. */
async function minute(fromS: number, bytesEach: number, before: number): Promise<number> {
  let total = before;
  for (let s = fromS; s < fromS + 60; s += 10) {
    total += bytesEach;
    await runner.take(batch(++seq, T0 + s * 1_000, { [port]: total }));
  }
  runner.nowMs = T0 + (fromS + 60) * 1_000;
  await watchAlarms(runner.ctx);
  return total;
}
const told = () =>
  runner.ctx.db.all<{ type: string; value: number }>(
    sql`SELECT type, data ->> '$.value' AS value FROM events WHERE region = ${runner.region} AND type LIKE 'alarm.%' ORDER BY sequence`,
  );
const stateOf = async (id: string) => JSON.parse((await ask('GET', `/${id}`)).text).alarm;

it('tells once that a threshold is passed, and once that it is no more', async () => {
  const { alarm, status } = await ask('POST', '', wanted());
  expect(status).toBe(201);
  expect(await stateOf(alarm.id)).toMatchObject({ state: 'unknown', value: null, checked_at: null });
  let total = await minute(0, 500, 0);
  expect(await stateOf(alarm.id)).toMatchObject({ state: 'ok', value: 50 });
  expect(await told()).toEqual([]);
  for (const at of [60, 120]) total = await minute(at, 2_000, total);
  expect(await stateOf(alarm.id)).toMatchObject({ state: 'triggered', value: 200 });
  await minute(180, 100, total);
  // Silent for longer than its window: nothing is known, and nothing told.
  runner.nowMs += 600_000;
  await watchAlarms(runner.ctx);
  expect(await stateOf(alarm.id)).toMatchObject({ state: 'ok', value: null });
  expect(await told()).toEqual([
    { type: 'alarm.triggered', value: 200 },
    { type: 'alarm.cleared', value: 10 },
  ]);
});

it('is told once, however many look', async () => {
  await ask('POST', '', wanted());
  await minute(0, 2_000, 0);
  expect(await told()).toEqual([{ type: 'alarm.triggered', value: 200 }]);
  runner.nowMs += 60_000;
  await runner.take(batch(++seq, runner.nowMs - 5_000, { [port]: 12_001 }));
  await Promise.all([1, 2, 3].map(() => watchAlarms(runner.ctx)));
  expect((await told()).map(({ type }) => type)).toEqual(['alarm.triggered', 'alarm.cleared']);
});

it('sleeps while it is disabled, and is gone when it is deleted', async () => {
  const { alarm } = await ask('POST', '', { ...wanted(), enabled: false });
  const total = await minute(0, 2_000, 0);
  expect(await told()).toEqual([]);
  expect((await ask('PATCH', `/${alarm.id}`, { enabled: true, threshold: 1_000 })).status).toBe(200);
  await minute(60, 2_000, total);
  expect(await stateOf(alarm.id)).toMatchObject({ state: 'ok', threshold: 1_000, enabled: true });
  expect((await ask('DELETE', `/${alarm.id}`)).status).toBe(204);
  expect((await ask('GET', `/${alarm.id}`)).status).toBe(404);
});

it.each([
  [{ resource_id: crypto.randomUUID() }, /there is no port/],
  [{ statistic: 'mean' }, /A counter has a 'rate'/],
  [{ meter: 'disk.nothing' }, /meter/],
  [{ window_s: 35 }, /window_s/],
  [{ window_s: 7_200 }, /window_s/],
  [{ threshold: 'x' }, /threshold/],
])('is refused with %j', async (change, why) => {
  const { status, text } = await ask('POST', '', { ...wanted(), ...change });
  expect(status).toBe(400);
  expect(text).toMatch(why);
});

it('is made on nothing of another project’s', async () => {
  const stranger = await mintActor('member');
  expect((await ask('POST', '', wanted(), stranger)).status).toBe(400);
});
