import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../home/until.ts';
import { COUNT, countingErrors, numbersIn } from '../machine/counting-guest.ts';
import { createServer, deleteServer, serverGone, serverReaches, settled } from './fault-cloud.ts';
import { databaseLeaks } from './leaks.ts';
import {
  Console,
  copiesOf,
  lastMove,
  type MoveCloud,
  memorySent,
  moveReaches,
  type Place,
  slowly,
  startMoveCloud,
} from './move-cloud.ts';
import { bootsOf, guestsOn, inGuest } from './qemu-cloud.ts';

/* A guest that counts on its console is moved between two machines while one thing after another fails. */

const TIMEOUT_MS = 60_000;
/** A guest's memory takes some seconds so. */
const SLOW_BYTES_S = 8 * 1024 * 1024;
const FAST_BYTES_S = 1024 * 1024 * 1024;

let cloud: MoveCloud;
let id: string;
/** Where the guest is, its console there, and what it wrote before. */
let here: Place;
let there: Place;
let now: Console;
const written: string[] = [];

beforeAll(async () => {
  cloud = await startMoveCloud('10.94.0.0/24');
  [here, there] = [cloud.a, cloud.b];
  await setRunner(there, 'disabled');
  id = await createServer(cloud, 'counting');
  await serverReaches(cloud.admin, id, 'ACTIVE', TIMEOUT_MS);
  await setRunner(there, 'enabled');
  await inGuest(here.runner, id, COUNT);
  now = new Console(here, id);
});
afterAll(async () => {
  now?.close();
  await cloud?.close();
});

const setRunner = ({ name }: Place, state: string) =>
  cloud.admin.call('aerostat', 'PATCH', `/runners/${name}`, { runner: { state } });
const act = (action: Record<string, unknown>) => cloud.admin.call('compute', 'POST', `/servers/${id}/action`, action);
const move = () => act({ 'os-migrateLive': { host: null, block_migration: true, disk_over_commit: false } });
const numbers = () => numbersIn([...written, now.read()]);

/** The guest is the other machine's. */
function changeHands(console: Console): void {
  written.push(now.read());
  now.close();
  now = console;
  [here, there] = [there, here];
}

/** It goes on counting, from where it was, in one copy. */
async function countsOn(context: string): Promise<void> {
  const before = numbers().length;
  await until(`${context}: the guest counting on`, TIMEOUT_MS, async () => numbers().length > before + 5);
  expect(countingErrors(numbers()), context).toEqual([]);
  await settled(cloud, TIMEOUT_MS);
  expect(await copiesOf(cloud, id), context).toEqual({ [here.name]: 'running' });
  expect(await databaseLeaks(cloud), context).toEqual({});
}

/** Begins a move and waits until its memory is on its way. */
async function inTheMiddle(): Promise<void> {
  await slowly(here, id, SLOW_BYTES_S);
  await move();
  await until('memory on its way', TIMEOUT_MS, async () => ((await memorySent(here, id)) ?? 0) > SLOW_BYTES_S / 4);
}

it('moves a guest with its disk as it runs, without losing or doubling a number', async () => {
  await until('the guest counting', TIMEOUT_MS, async () => numbers().length > 20);
  await move();
  await moveReaches(cloud, id, { status: 'running' });
  const next = new Console(there, id);
  let [last_ms, first_ms] = [0, 0];
  let size = 0;
  await until('the guest on its new machine', TIMEOUT_MS, async () => {
    const at_ms = performance.now();
    if (now.size !== size) [size, last_ms] = [now.size, at_ms];
    if (first_ms === 0 && next.size > 0) first_ms = at_ms;
    return first_ms > 0;
  });
  changeHands(next);
  await countsOn('after a live migration');
  expect(await lastMove(cloud, id)).toEqual({ status: 'completed', phase: 'ended' });
  console.log(`downtime: ${Math.round(first_ms - last_ms)} ms between the last number here and the first one there`);
});

it('goes on where it was when the process that waits for it is killed', async () => {
  await inTheMiddle();
  const [pid] = (await guestsOn(there.machine)).get(id) ?? [];
  process.kill(pid as number, 'SIGKILL');
  await moveReaches(cloud, id, { status: 'error', phase: 'ended' });
  await countsOn('target killed');
});

it('goes on where it was when the line between the machines is cut', async () => {
  await inTheMiddle();
  await cloud.line('down');
  await moveReaches(cloud, id, { status: 'error', phase: 'ended' });
  await cloud.line('up');
  await countsOn('line cut');
});

it('goes on where it was when the runner that sends it is killed', async () => {
  await inTheMiddle();
  await here.runner.kill();
  await here.runner.start();
  await moveReaches(cloud, id, { status: 'error', phase: 'ended' });
  await countsOn('source runner killed');
});

it('goes on where it was when the control plane is away as it is to change hands', async () => {
  await inTheMiddle();
  here.machine.line.away();
  await slowly(here, id, FAST_BYTES_S);
  const before = numbers().length;
  await until('an end of the sending', TIMEOUT_MS, async () => (await memorySent(here, id)) === null);
  await until('the guest counting on alone', TIMEOUT_MS, async () => numbers().length > before + 20);
  here.machine.line.back();
  await moveReaches(cloud, id, { status: 'error', phase: 'ended' });
  await countsOn('control plane away');
});

it('comes whole though the runner that awaits it is killed, and the word that it was sent is lost', async () => {
  await inTheMiddle();
  await there.runner.kill();
  here.machine.line.stall();
  await slowly(here, id, FAST_BYTES_S);
  await until('both standing still', TIMEOUT_MS, async () => (await copiesOf(cloud, id))[here.name] === 'postmigrate');
  expect(await copiesOf(cloud, id)).toEqual({ [here.name]: 'postmigrate', [there.name]: 'paused' });
  const next = new Console(there, id);
  await here.runner.kill();
  here.machine.line.back();
  await here.runner.start();
  await there.runner.start();
  await moveReaches(cloud, id, { status: 'completed', phase: 'ended' });
  changeHands(next);
  await countsOn('target runner killed, report lost');
});

it('begins anew where it was when its own process is killed on the way', async () => {
  expect(await bootsOf(here.runner, id)).toBe(1);
  await inTheMiddle();
  const [pid] = (await guestsOn(here.machine)).get(id) ?? [];
  process.kill(pid as number, 'SIGKILL');
  await moveReaches(cloud, id, { status: 'error', phase: 'ended' });
  await serverReaches(cloud.admin, id, 'ACTIVE', TIMEOUT_MS);
  await settled(cloud, TIMEOUT_MS);
  expect(await bootsOf(here.runner, id)).toBe(2);
  expect(await copiesOf(cloud, id)).toEqual({ [here.name]: 'running' });
  expect(await databaseLeaks(cloud)).toEqual({});
  await deleteServer(cloud.admin, id);
  await serverGone(cloud.admin, id);
  for (const { machine } of [here, there]) expect((await guestsOn(machine)).size).toBe(0);
});
