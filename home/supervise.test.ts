import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { identify } from '../runner/host/processes.ts';
import { systemClock } from '../shared/clock.ts';
import { type Supervisor, supervise } from './supervise.ts';

let folder: string;
let process: Supervisor | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aerostat-supervise-'));
});
afterEach(async () => {
  await process?.stop();
  process = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const logFile = () => join(folder, 'log');
const script = (text: string) => {
  writeFileSync(join(folder, 'script.mjs'), text);
  return {
    name: 'script',
    command: globalThis.process.execPath,
    args: [join(folder, 'script.mjs')],
    logFile: logFile(),
  };
};

it('starts a process again when it is killed', async () => {
  process = supervise(script('setInterval(() => {}, 1000)'), systemClock);
  const first = process.pid() ?? 0;
  globalThis.process.kill(first, 'SIGKILL');
  await expect.poll(() => process?.restarts()).toBe(1);
  const second = process.pid() ?? 0;
  expect(second).not.toBe(first);
  expect(await identify(second)).not.toBe(null);
});

it('waits longer each time a process ends at once', async () => {
  process = supervise(script('console.log("up", Date.now())'), systemClock);
  const found = (pattern: RegExp) =>
    [...readFileSync(logFile(), 'utf8').matchAll(pattern)].map((match) => Number(match[1]));
  const starts = () => found(/^up (\d+)$/gm);
  await expect.poll(() => starts().length).toBeGreaterThanOrEqual(4);
  const waits = found(/"restart_in_ms":(\d+)/g).slice(0, 3);
  expect(waits).toEqual([200, 400, 800]);
  for (const [at, wait] of waits.entries()) {
    expect((starts()[at + 1] ?? 0) - (starts()[at] ?? 0)).toBeGreaterThanOrEqual(wait);
  }
});

it('keeps what the process says, and says how it ended', async () => {
  process = supervise(script('console.log("out"); console.error("err"); process.exit(3)'), systemClock);
  await expect.poll(() => readFileSync(logFile(), 'utf8')).toMatch(/exit code 3/);
  expect(readFileSync(logFile(), 'utf8')).toMatch(/out[\s\S]*err|err[\s\S]*out/);
});

it('stops a process, one that will not end too, and does not start it again', async () => {
  process = supervise(
    script('process.on("SIGTERM", () => {}); console.log("ready"); setInterval(() => {}, 1000)'),
    systemClock,
  );
  await expect.poll(() => readFileSync(logFile(), 'utf8')).toContain('ready');
  const pid = process.pid() ?? 0;
  await process.stop();
  expect(await identify(pid)).toBe(null);
  expect(process.pid()).toBe(undefined);
  process = undefined;
});

it('names a command that is not there', async () => {
  process = supervise({ name: 'none', command: '/nowhere/none', args: [], logFile: logFile() }, systemClock);
  await expect.poll(() => readFileSync(logFile(), 'utf8')).toContain('ENOENT');
});
