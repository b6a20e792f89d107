import { expect, it } from 'vitest';
import { addPort, batch, MeteredRunner, T0 } from '../../test/edge-meter.ts';
import { MINUTES_KEPT_MS, RAW_KEPT_MS, SERIES_KEPT_MS } from './limits.ts';

const HOUR_MS = 3_600_000;
const METER = 'network.incoming.bytes';

/** A machine with samples of three hours, at moments that are on no border. */
async function threeHours() {
  const runner = new MeteredRunner();
  const port = await addPort(runner);
  const batches = Array.from({ length: 3 * 360 }, (_, at) =>
    batch(at + 1, T0 + at * 10_000 + 3_333, { [port]: at * at * 7 }),
  );
  const rows = (table: string) =>
    runner.inside((_meter, { sql }) => sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).one().n);
  runner.nowMs = T0 + 3 * HOUR_MS;
  for (let at = 0; at < batches.length; at += 360) await runner.take(...batches.slice(at, at + 360));
  return { runner, port, batches, points: () => rows('meter_points'), rows };
}

it('thins points to the last of each minute, and windows stay as they are when late samples have them sealed again', async () => {
  const { runner, port, batches, points } = await threeHours();
  runner.nowMs += 10 * 60_000;
  await runner.take(batch(batches.length + 1, T0 + 3 * HOUR_MS + 5_000, { [port]: 10_000_000 }));
  await runner.settle();
  const before = await runner.windows(port);
  expect(await points()).toBe(3 * 360 + 1);
  runner.nowMs += RAW_KEPT_MS;
  await runner.settle();
  // Of each hour its minutes, and its first point.
  expect(await points()).toBe(3 * 61 + 1);
  expect(await runner.windows(port)).toEqual(before);
  // A late sample that says nothing new: all is made anew, of the points that are left.
  const middle = batches[400] as (typeof batches)[number];
  await runner.take({ ...middle, seq: batches.length + 2, at_ms: middle.at_ms + 1 });
  await runner.settle();
  expect((await runner.windows(port)).map(({ value, revision }) => [value, revision])).toEqual(
    before.map(({ value }) => [value, 1]),
  );
});

it('closes hours at last, with one point left to go on from, and takes nothing for them any more', async () => {
  const { runner, port, batches, points, rows } = await threeHours();
  runner.nowMs += 2 * 24 * HOUR_MS;
  await runner.settle();
  runner.nowMs += MINUTES_KEPT_MS;
  // The machine is back, and has counted on.
  await runner.take(batch(batches.length + 1, runner.nowMs - 20_000, { [port]: 50_000_000 }));
  await runner.settle();
  // The last hour changed as it came back, and lasts; of those before it one point is left.
  expect(await points()).toBe(1 + 360 + 1);
  await runner.take({ ...(batches[100] as (typeof batches)[number]), seq: batches.length + 2 });
  await runner.take(batch(batches.length + 3, runner.nowMs - 10_000, { [port]: 50_000_100 }));
  runner.nowMs += 3 * 24 * HOUR_MS;
  await runner.settle();
  expect(await runner.sum(port, METER)).toBe(50_000_100);
  expect((await runner.refusals()).map(({ reason, count }) => [reason, count])).toEqual([['closed', 1]]);
  // A counter that has been silent for longer than any outage is forgotten, as another goes on.
  const other = await addPort(runner);
  runner.nowMs += SERIES_KEPT_MS;
  await runner.take(batch(batches.length + 4, runner.nowMs - HOUR_MS, { [other]: 5 }));
  await runner.take(batch(batches.length + 5, runner.nowMs, { [other]: 6 }));
  runner.nowMs += MINUTES_KEPT_MS + 24 * HOUR_MS;
  await runner.take(batch(batches.length + 6, runner.nowMs, { [other]: 7 }));
  await runner.settle();
  runner.nowMs += MINUTES_KEPT_MS + 24 * HOUR_MS;
  await runner.settle();
  expect(await rows('meter_series')).toBe(1);
});
