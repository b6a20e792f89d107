import { setTimeout as pause } from 'node:timers/promises';
import { eq, inArray, sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { meterProgress, meterRefusals, meterWindows } from '../../db/schema/metering.ts';
import { networks, ports } from '../../db/schema/network.ts';
import { until } from '../../home/until.ts';
import { SAMPLE_EVERY_MS } from '../../shared/meters.ts';
import type { SampleBatch } from '../../shared/protocol/messages.ts';
import { type ClockAhead, openClockAhead } from '../clock-ahead.ts';
import { type Cloud, REGION, startCloud } from '../cloud.ts';
import { randomOf } from '../machine/random.ts';
import { SocketRunner } from '../socket-runner.ts';

/*
 * The database and the edge are killed, as processes, while samples are taken and hours are sealed. What is late by a timer
 * is due at once for an edge that begins again with a later clock, so that each kill meets hours that are being sealed.
 */

const SEED = Number(process.env.AEROSTAT_SEED ?? 4711);
const HOUR_MS = 3_600_000;
const MACHINES = 3;
const PORTS = 150;
const HOURS = 20;
const KILLS = 5;
/** After so many more windows are there, and within such a time, somebody is killed. */
const SEALED_A_KILL = 3_000;
const KILL_WITHIN_MS = 20;
const TIMEOUT_MS = 60_000;
const METERS = ['network.incoming.bytes', 'network.outgoing.bytes'] as const;
const SAMPLED_BATCHES = 48;
const BATCHES_PER_MESSAGE = 4;
const ROWS_PER_INSERT = 50;

const random = randomOf(SEED);
let clock: ClockAhead;
let cloud: Cloud;
/** Far enough in the past for all hours to be over. */
let startMs: number;

beforeAll(async () => {
  clock = await openClockAhead();
  for (const [name, value] of Object.entries(clock.env)) vi.stubEnv(name, value);
});
/** Each its own, whose processes have not been killed so often that they wait before they start. */
beforeEach(async () => {
  cloud = await startCloud();
  startMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - HOURS * HOUR_MS;
});
afterEach(() => cloud?.stop());
afterAll(() => {
  vi.unstubAllEnvs();
  clock?.close();
});

async function newMachine(name: string, count: number): Promise<{ runner: SocketRunner; ids: string[] }> {
  const runner = await SocketRunner.join(cloud, name);
  const { db } = cloud.edge;
  const row = { region: REGION, projectId: 'p', createdAtMs: startMs, updatedAtMs: startMs };
  const networkId = crypto.randomUUID();
  await db.insert(networks).values({ ...row, id: networkId });
  const ids = Array.from({ length: count }, () => crypto.randomUUID());
  for (let at = 0; at < count; at += ROWS_PER_INSERT) {
    const some = ids.slice(at, at + ROWS_PER_INSERT);
    await db.insert(ports).values(some.map((id) => ({ ...row, id, networkId, macAddress: id, runnerId: runner.id })));
  }
  return { runner, ids };
}

const answers = () =>
  until('the database and the edge', TIMEOUT_MS, async () => {
    await cloud.edge.db.run(sql`SELECT 1`);
    return (await fetch(`${cloud.url}/identity/v3`)).ok;
  });

/** Kills the edge; it comes back with a later clock, for which all that waits is due. */
async function edgeBeginsAgain(): Promise<void> {
  clock.setTo(clock.nowMs() + 120_000);
  process.kill(cloud.edge.workerd.pid() ?? 0, 'SIGKILL');
  await answers();
}

/** Counters that rise by a draw in each hour, and what they are at each border of hours. */
function hourly(ids: string[]): { batches: SampleBatch[]; windows: Map<string, number> } {
  const windows = new Map<string, number>();
  const stands = new Map<string, number>();
  const batches = Array.from({ length: HOURS + 1 }, (_, hour): SampleBatch => {
    const samples = ids.map((id) => {
      const values = METERS.map((meter) => {
        const rise = hour === 0 ? 0 : random(1e9);
        const key = `${id} ${meter}`;
        stands.set(key, (stands.get(key) ?? 0) + rise);
        if (hour > 0) windows.set(`${key} ${startMs + (hour - 1) * HOUR_MS}`, rise);
        return [meter, stands.get(key) ?? 0] as const;
      });
      return { type: 'port', id, epoch: 'e', values: Object.fromEntries(values) };
    });
    return {
      seq: hour + 1,
      at_ms: Math.max(startMs + hour * HOUR_MS, startMs + SAMPLE_EVERY_MS),
      boot_id: 'b',
      samples,
    };
  });
  return { batches, windows };
}

const sealed = async () =>
  (await cloud.edge.db.all<{ n: number }>(sql`SELECT count(*) AS n FROM meter_windows WHERE region = ${REGION}`))[0]
    ?.n ?? 0;

describe('the database', () => {
  it('that is killed while hours are sealed has each window once at the end, with what was used in it', async () => {
    const expected = new Map<string, number>();
    let machines: SocketRunner[] = [];
    for (let at = 0; at < MACHINES; at += 1) {
      const { runner, ids } = await newMachine(`sealed-${at}`, PORTS);
      const { batches, windows } = hourly(ids);
      for (const [key, value] of windows) expected.set(key, value);
      for (const batch of batches) expect(await runner.metered('s', [batch])).toBe(batch.seq);
      machines.push(runner);
    }
    const seen = [0];
    for (let kill = 0; kill < KILLS; kill += 1) {
      await edgeBeginsAgain();
      machines = await Promise.all(machines.map((one) => one.again()));
      const enough = (seen.at(-1) ?? 0) + random(SEALED_A_KILL);
      await until('windows', TIMEOUT_MS, async () => (await sealed()) > enough);
      await pause(random(KILL_WITHIN_MS));
      process.kill(cloud.edge.database.pid() ?? 0, 'SIGKILL');
      await answers();
      seen.push(await sealed());
    }
    // Or nothing was proved: each kill met hours that were being sealed.
    expect(seen.at(-1)).toBeLessThan(expected.size);
    await edgeBeginsAgain();
    machines = await Promise.all(machines.map((one) => one.again()));
    await until('all windows', TIMEOUT_MS, async () => (await sealed()) >= expected.size);
    const rows = await cloud.edge.db.select().from(meterWindows);
    expect(rows).toHaveLength(expected.size);
    const found = rows.map(
      ({ resourceId, meter, startMs: at, value }) => [`${resourceId} ${meter} ${at}`, value] as const,
    );
    expect(new Map(found)).toEqual(expected);
    expect(rows.filter(({ revision, coverage }) => revision !== 1 || coverage !== 10_000)).toEqual([]);
    const ids = machines.map(({ id }) => id);
    const progress = await cloud.edge.db.select().from(meterProgress).where(inArray(meterProgress.runnerId, ids));
    expect(progress.map(({ sealedThroughMs }) => sealedThroughMs)).toEqual(ids.map(() => startMs + HOURS * HOUR_MS));
    for (const one of machines) one.close();
  });
});

describe('the edge', () => {
  it('that is killed between taking samples and saying so has counted each of them once', async () => {
    const made = await newMachine('taken', 1);
    const [port = ''] = made.ids;
    let { runner } = made;
    let bytes = 0;
    const batches = Array.from({ length: SAMPLED_BATCHES }, (_, at): SampleBatch => {
      bytes += random(1e6);
      const samples = [{ type: 'port' as const, id: port, epoch: 'e', values: { 'network.incoming.bytes': bytes } }];
      return { seq: at + 1, at_ms: startMs + (at + 1) * SAMPLE_EVERY_MS, boot_id: 'b', samples };
    });
    for (let acked = 0, kills = 0; acked < batches.length; ) {
      const next = batches.slice(acked, acked + BATCHES_PER_MESSAGE);
      // By turns at any moment, and the moment that the edge has said that it has them; at last it lives.
      if (kills % 2 === 1 || kills === KILLS) acked = await runner.metered('s', next);
      else {
        runner.says('s', next);
        await pause(random(KILL_WITHIN_MS));
      }
      if (kills === KILLS) continue;
      kills += 1;
      await edgeBeginsAgain();
      // As all machines do: what was not acknowledged is said again, what was is forgotten.
      acked = Math.max(acked, runner.acked());
      runner = await runner.again();
    }
    await runner.metered('s', [{ seq: batches.length + 1, at_ms: startMs + HOUR_MS + 1, boot_id: 'b', samples: [] }]);
    await edgeBeginsAgain();
    runner = await runner.again();
    const windows = () => cloud.edge.db.select().from(meterWindows).where(eq(meterWindows.resourceId, port));
    await until('its hour', TIMEOUT_MS, async () => (await windows()).length > 0);
    expect(await windows()).toMatchObject([{ startMs, value: bytes, runnerId: runner.id }]);
    expect(await cloud.edge.db.select().from(meterRefusals)).toEqual([]);
    runner.close();
  });
});
