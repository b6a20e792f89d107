import { sql } from 'drizzle-orm';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SampleBatch } from '../../shared/protocol/messages.ts';
import { addPort, addServer, batch, MeteredRunner, T0 } from '../../test/edge-meter.ts';
import { AHEAD_MAX_MS, BEHIND_MAX_MS, LEFT_GRACE_MS, OWNER_CHECK_MS, REFUSALS_MAX, risePerMsMax } from './limits.ts';

const HOUR_MS = 3_600_000;
const METER = 'network.incoming.bytes';
let runner: MeteredRunner;
let port: string;

beforeEach(async () => {
  runner = new MeteredRunner();
  port = await addPort(runner);
  runner.nowMs = T0 + 60_000;
});

/** Takes batches, seals all, and tells what was refused and what was counted of the port. */
async function outcome(...batches: SampleBatch[]) {
  for (const one of batches) await runner.take(one);
  runner.nowMs += 48 * HOUR_MS;
  await runner.settle();
  const refusals = await runner.refusals();
  const told = refusals.map(({ reason, resourceType, resourceId, meter, count }) => ({
    reason,
    resourceType,
    resourceId,
    meter,
    count,
  }));
  return { told, counted: await runner.sum(port, METER) };
}
const its = { resourceType: 'port', meter: METER, count: 1 };

describe('what is refused, listed, and not counted', () => {
  it.each([
    ['a year ahead', 366 * 24 * HOUR_MS, 'clock-ahead'],
    ['a little more ahead than clocks may be', AHEAD_MAX_MS + 1, 'clock-ahead'],
    ['older than any outage', -BEHIND_MAX_MS - 1, 'too-old'],
  ])('a clock that is %s', async (_, byMs, reason) => {
    const { told, counted } = await outcome(batch(1, runner.nowMs + byMs, { [port]: 7 }));
    expect(told).toEqual([{ reason, resourceType: 'runner', resourceId: runner.runnerId, meter: '', count: 1 }]);
    expect(counted).toBe(0);
  });

  it('a counter that falls or wraps, and nothing else of it', async () => {
    const at = (seq: number, bytes: number) => batch(seq, T0 + seq * 10_000, { [port]: bytes });
    const { told, counted } = await outcome(at(1, 4_294_967_000), at(2, 100), at(3, 4_294_967_050));
    expect(told).toEqual([{ ...its, reason: 'fell', resourceId: port }]);
    expect(counted).toBe(4_294_967_050);
  });

  it('a number below zero', async () => {
    const { told, counted } = await outcome(
      batch(1, T0 + 10_000, { [port]: -5 }),
      batch(2, T0 + 20_000, { [port]: 9 }),
    );
    expect(told).toEqual([{ ...its, reason: 'negative', resourceId: port }]);
    expect(counted).toBe(9);
  });

  it('more than a line carries, and never later because time has passed', async () => {
    const huge = 40_000 * risePerMsMax('bytes');
    const { told, counted } = await outcome(
      batch(1, T0 + 10_000, { [port]: 5 }),
      batch(2, T0 + 20_000, { [port]: huge }),
      batch(3, T0 + 59_000, { [port]: huge }),
      batch(4, T0 + 60_000, { [port]: 6 }),
    );
    expect(told).toEqual([{ ...its, reason: 'jumped', resourceId: port, count: 2 }]);
    expect(counted).toBe(6);
  });

  it('another machine’s resource, one that nobody knows, and one of another region', async () => {
    const other = new MeteredRunner(runner.region);
    const elsewhere = new MeteredRunner();
    const ids = [await addPort(other), crypto.randomUUID(), await addPort({ ...elsewhere, runnerId: runner.runnerId })];
    const said = Object.fromEntries(ids.map((id) => [id, 1_000]));
    const { told } = await outcome(batch(1, T0 + 10_000, { ...said, [port]: 3 }));
    expect(told.map(({ reason, resourceId }) => [reason, resourceId]).sort()).toEqual(
      ids.map((id) => ['not-its-own', id]).sort(),
    );
    for (const id of ids) expect(await runner.sum(id, METER)).toBe(0);
    expect(await runner.sum(port, METER)).toBe(3);
  });

  it('a meter that is none, or of another kind of resource', async () => {
    const said = batch(1, T0 + 10_000, { [port]: 3 });
    Object.assign(said.samples[0]?.values ?? {}, { 'cpu.time': 5, constructor: 6 });
    const { told } = await outcome(said);
    expect(told.map(({ reason, meter }) => [reason, meter]).sort()).toEqual([
      ['unknown-meter', 'constructor'],
      ['unknown-meter', 'cpu.time'],
    ]);
  });

  it('two values of one moment', async () => {
    const { told, counted } = await outcome(batch(1, T0 + 10_000, { [port]: 3 }), batch(2, T0 + 10_000, { [port]: 4 }));
    expect(told).toEqual([{ ...its, reason: 'contradicts', resourceId: port }]);
    expect(counted).toBe(3);
  });
});

it('has a list with an end: what is more is counted together', async () => {
  const samples = Array.from({ length: REFUSALS_MAX + 500 }, () => ({
    ...{ type: 'port', id: crypto.randomUUID(), epoch: 'e', values: { [METER]: 1 } },
  }));
  await runner.take({ ...batch(1, T0 + 10_000, {}), samples });
  await runner.settle();
  const all = await runner.refusals();
  expect(all).toHaveLength(REFUSALS_MAX + 1);
  expect(all.find(({ resourceType }) => resourceType === 'other')).toMatchObject({ resourceId: '', count: 500 });
});

describe('whose a resource is', () => {
  it('is looked at again: what a machine says of one that has left it is refused from then on', async () => {
    await runner.take(batch(1, T0 + 10_000, { [port]: 3 }));
    await runner.ctx.db.run(sql`UPDATE ports SET runner_id = 'another' WHERE id = ${port}`);
    runner.nowMs += OWNER_CHECK_MS;
    const leftMs = runner.nowMs;
    await runner.take(batch(2, leftMs - 1, { [port]: 5 }));
    runner.nowMs += 2 * LEFT_GRACE_MS;
    const { told, counted } = await outcome(batch(3, leftMs + LEFT_GRACE_MS + 1, { [port]: 900 }));
    expect(told).toMatchObject([{ reason: 'not-its-own', resourceId: port, count: 1 }]);
    expect(counted).toBe(5);
  });

  it('is known of a port that was deleted, and of a server that was before its first sample came', async () => {
    await runner.take(batch(1, T0 + 10_000, { [port]: 3 }));
    const server = await addServer(runner, { runnerId: null, vmState: 'deleted', deletedAtMs: T0 + 50_000 });
    await runner.ctx.db.run(sql`INSERT INTO server_action_events (server_id, request_id, event, started_at_ms, runner_id)
      VALUES (${server}, 'r', 'compute__do_build_and_run_instance', 1, ${runner.runnerId})`);
    await runner.ctx.db.run(sql`DELETE FROM ports WHERE id = ${port}`);
    runner.nowMs += OWNER_CHECK_MS;
    const last = batch(2, T0 + 40_000, { [port]: 8 });
    last.samples.push({ type: 'server', id: server, epoch: 'e', values: { 'disk.read.bytes': 77 } });
    const { told, counted } = await outcome(last);
    expect(told).toEqual([]);
    expect(counted).toBe(8);
    expect(await runner.sum(server, 'disk.read.bytes')).toBe(77);
  });

  it('decides what a counter began with: one that was there long before the metering is counted from its first sample', async () => {
    const old = await addPort(runner, { createdAtMs: T0 - 30 * 24 * HOUR_MS });
    await runner.take(
      batch(1, T0 + 10_000, { [old]: 5_000_000, [port]: 11 }),
      batch(2, T0 + 20_000, { [old]: 5_000_007 }),
    );
    // A restart counts from zero, and whole; so does an old one that moves here later.
    await runner.take(batch(3, T0 + 30_000, { [old]: ['later', 40] }));
    const moved = await addPort(runner, { createdAtMs: T0 - 30 * 24 * HOUR_MS });
    runner.nowMs += HOUR_MS;
    await outcome(batch(4, T0 + HOUR_MS, { [moved]: 900 }));
    expect(await runner.sum(old, METER)).toBe(47);
    expect(await runner.sum(port, METER)).toBe(11);
    expect(await runner.sum(moved, METER)).toBe(900);
  });
});
