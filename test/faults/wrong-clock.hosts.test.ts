import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../home/until.ts';
import { run } from '../../runner/host/run.ts';
import { SAMPLE_EVERY_MS } from '../../shared/meters.ts';
import { type ClockAhead, openClockAhead } from '../clock-ahead.ts';
import { type Cloud, type RunnerProcess, startCloud } from '../cloud.ts';
import { type Machine, openMachine } from '../machine.ts';

/* A real runner whose machine's clock is a year ahead, then a year behind, then wrong while the edge is not there to be asked. */

const RUNNER_MAIN = join(import.meta.dirname, '../../runner/main.ts');
const YEAR_MS = 365 * 24 * 3_600_000;
const SAMPLED_TIMEOUT_MS = 60_000;
const METER = 'host.cpu.time';

const folder = mkdtempSync(join(tmpdir(), 'aerostat-wrong-clock-'));
let clock: ClockAhead;
let cloud: Cloud;
let machine: Machine;
let runner: RunnerProcess;
let startedMs: number;
beforeAll(async () => {
  clock = await openClockAhead();
  cloud = await startCloud();
  machine = await openMachine({ port: Number(new URL(cloud.url).port) });
  clock.setTo(Date.now() + YEAR_MS);
  startedMs = Date.now();
  const { netns, edgeUrl } = machine;
  const stateDir = join(folder, 'state');
  runner = await cloud.runners({ hypervisor: 'qemu', name: 'wrong-clock', netns, edgeUrl, stateDir, env: clock.env });
});
afterAll(async () => {
  await runner?.kill();
  await machine?.run(process.execPath, [RUNNER_MAIN, 'teardown', '--state', runner.stateDir]);
  await cloud?.stop();
  await machine?.close();
  clock?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Point {
  atMs: number;
  value: number;
}
/** All that the edge has of a counter of the machine, whenever it is said to have been. */
async function points(): Promise<Point[]> {
  const { runners } = await cloud.admin.call<{ runners: { id: string }[] }>('aerostat', 'GET', '/runners');
  const iso = (ms: number) => new Date(ms).toISOString();
  const time = `start=${iso(startedMs - 3 * YEAR_MS)}&stop=${iso(startedMs + 3 * YEAR_MS)}`;
  const path = `/v1/resource/host/${runners[0]?.id}/metric/${METER}/measures?aggregation=last&granularity=10&${time}`;
  const measures = await cloud.admin.call<[string, number, number][]>('metric', 'GET', path);
  // What is read at a border is of the period before it.
  return measures.map(([at, , value]) => ({ atMs: Date.parse(at) + SAMPLE_EVERY_MS, value }));
}

const sampledSince = (what: string, sinceMs: number) =>
  until(what, SAMPLED_TIMEOUT_MS, async () => (await points()).some(({ atMs }) => atMs > sinceMs));
const times = async () => (await points()).map(({ atMs }) => atMs);

it('whose clock is a year wrong, either way, counts what was used when it was used', async () => {
  await sampledSince('samples of a machine that is a year ahead', startedMs);
  clock.setTo(Date.now() - YEAR_MS);
  await sampledSince('samples of one that fell two years back', Date.now());
  // Now it begins again, and guesses by what it was told when its clock was another, until it hears the edge.
  const awayMs = Date.now();
  machine.line.away();
  await runner.kill();
  await runner.start({ wait: false });
  const read = async () => (await run('cat', [runner.logFile])).stdout;
  await until('the line to be missed', SAMPLED_TIMEOUT_MS, async () => (await read()).split('link-down').length > 2);
  // One of the periods is over as a whole then.
  await pause(2.2 * SAMPLE_EVERY_MS);
  const backMs = Date.now();
  machine.line.back();
  await sampledSince('samples of one that is back', backMs);

  const all = await points();
  expect(all.filter(({ atMs }) => atMs <= startedMs - SAMPLE_EVERY_MS || atMs > Date.now() + SAMPLE_EVERY_MS)).toEqual(
    [],
  );
  expect((await times()).filter((atMs) => atMs - SAMPLE_EVERY_MS >= awayMs && atMs <= backMs).length).toBeGreaterThan(
    0,
  );
  const values = all.map(({ value }) => value);
  expect(values).toEqual([...values].sort((a, b) => a - b));
  // Its own clock was that wrong, or nothing was proved.
  const said = (await read()).matchAll(/"time":"([^"]+)"/g);
  const wrongMs = [...said].map(([, time]) => Date.parse(time ?? '') - startedMs);
  expect(Math.max(...wrongMs)).toBeGreaterThan(YEAR_MS / 2);
  expect(Math.min(...wrongMs)).toBeLessThan(-YEAR_MS / 2);
  const { refusals } = await cloud.admin.call<{ refusals: unknown[] }>('aerostat', 'GET', '/metering/refusals');
  expect(refusals).toEqual([]);
});
