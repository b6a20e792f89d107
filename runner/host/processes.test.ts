import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findProcesses, identify, isAlive, spawnDaemon, terminate, waitGone } from './processes.ts';
import { until } from './wait.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aeroprocesses-'));
});
afterEach(() => rm(folder, { recursive: true }));

const spawn = (script: string, ...more: string[]) =>
  spawnDaemon(process.execPath, ['-e', script, ...more], { cwd: folder, logFile: join(folder, 'log') });

it('starts a daemon of its own session, with its output in a file and none of our environment', async () => {
  process.env.AEROSTAT_TEST_WORD = 'word';
  const daemon = await spawn('console.log(process.env.AEROSTAT_TEST_WORD, process.cwd()); setInterval(() => {}, 1000)');
  delete process.env.AEROSTAT_TEST_WORD;
  const said = await until(async () => (await readFile(join(folder, 'log'), 'utf8')) || null, { timeout_ms: 60_000 });
  expect(said).toBe(`undefined ${folder}\n`);
  const session = (await readFile(`/proc/${daemon.pid}/stat`, 'utf8')).split(') ')[1]?.split(' ')[3];
  expect(session).toBe(String(daemon.pid));
  await terminate(daemon);
  expect(await isAlive(daemon)).toBe(false);
});

it('kills what does not listen', async () => {
  const daemon = await spawn("process.on('SIGTERM', () => {}); console.log('deaf'); setInterval(() => {}, 1000)");
  await until(async () => (await readFile(join(folder, 'log'), 'utf8')) || null, { timeout_ms: 60_000 });
  await terminate(daemon, 100);
  expect(await isAlive(daemon)).toBe(false);
});

it('tells a process from another with the same pid', async () => {
  const self = await identify(process.pid);
  expect(self?.pid).toBe(process.pid);
  expect(await isAlive({ pid: process.pid, startTicks: (self?.startTicks ?? 0) + 1 })).toBe(false);
  // It must not be hurt for its pid.
  await terminate({ pid: process.pid, startTicks: 1 });
  expect(await identify(2 ** 22 + 1)).toBe(null);
});

it('finds processes by their arguments, and forgets them when they are gone', async () => {
  const daemon = await spawn('setInterval(() => {}, 1000)', 'a-word-to-find');
  const find = () => findProcesses((argv) => argv.includes('a-word-to-find'));
  expect((await find()).map((one) => [one.pid, one.cwd])).toEqual([[daemon.pid, folder]]);
  await terminate(daemon);
  expect(await waitGone(daemon, 60_000)).toBe(true);
  expect(await find()).toEqual([]);
});

it('says so when a program is not there', async () => {
  await expect(spawnDaemon('no-such-program', [], { cwd: folder, logFile: join(folder, 'log') })).rejects.toThrow(
    'ENOENT',
  );
});
