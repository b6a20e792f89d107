import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../home/until.ts';
import { machineIdentity } from '../../runner/state/machine-identity.ts';
import type { RunnerProcess } from '../cloud.ts';
import { createServer, type FaultCloud, serverReaches, settled, startFaultCloud } from './fault-cloud.ts';
import { databaseLeaks, machineLeaks } from './leaks.ts';

const RUNNER_MAIN = join(import.meta.dirname, '../../runner/main.ts');
const REFUSED_TIMEOUT_MS = 20_000;

let cloud: FaultCloud;
let runner: RunnerProcess;
let copy: string;
const started: ChildProcess[] = [];

beforeAll(async () => {
  cloud = await startFaultCloud();
  runner = await cloud.runners({ hypervisor: 'simulated' });
  await serverReaches(cloud.admin, await createServer(cloud, 'first'), 'ACTIVE');
  copy = join(mkdtempSync(join(tmpdir(), 'aerostat-copy-')), 'state');
});
afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await cloud?.stop();
  rmSync(join(copy, '..'), { recursive: true, force: true });
});

/** Runs a runner from a state folder. */
function run(stateDir: string): { child: ChildProcess; said: () => string; ended: Promise<number | null> } {
  const args = ['--disable-warning=ExperimentalWarning', RUNNER_MAIN, 'run', '--state', stateDir];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  // All it said is there only once its output is closed.
  return { child, said: () => text, ended: new Promise((resolve) => child.once('close', resolve)) };
}

let served = 0;
async function liveOneGoesOn(): Promise<void> {
  served += 1;
  await serverReaches(cloud.admin, await createServer(cloud, `served-${served}`), 'ACTIVE');
  await settled(cloud);
  expect(await databaseLeaks(cloud)).toEqual({});
  expect(await machineLeaks(cloud, runner)).toEqual([]);
}

it('lets no second process into a state folder', async () => {
  const second = run(runner.stateDir);
  expect(await second.ended).toBe(1);
  expect(second.said().trim()).toBe(
    `aerostat runner: The state folder is in use by another runner (process ${runner.pid()}): stop that first, or use another --state.`,
  );
  await liveOneGoesOn();
});

it('does not start from a copied folder, whether the first runner lives or not', async () => {
  cpSync(runner.stateDir, copy, { recursive: true });
  for (const live of [true, false]) {
    if (!live) await runner.kill();
    const second = run(copy);
    expect(await second.ended, second.said()).toBe(1);
    expect(second.said().trim()).toBe(
      `aerostat runner: ${copy} belongs to another machine or was moved: run it where it joined, or join here with a new token and another --state.`,
    );
  }
  await runner.start();
  await liveOneGoesOn();
});

it('has the edge refuse a key that was taken to another machine', async () => {
  const path = join(copy, 'identity.json');
  const identity = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify({ ...identity, machine_id: machineIdentity(copy) }));
  const second = run(copy);
  await until('the refusal', REFUSED_TIMEOUT_MS, async () => second.said().includes('"event":"link-refused"'));
  expect(second.said()).toContain('"code":"other-machine"');
  await liveOneGoesOn();
  second.child.kill('SIGTERM');
  await second.ended;
});
