import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../home/until.ts';
import { deleteServer, serverGone, serverReaches, settled } from './fault-cloud.ts';
import { databaseLeaks } from './leaks.ts';
import {
  Console,
  copiesOf,
  lastMove,
  type MoveCloud,
  memorySent,
  moveReaches,
  slowly,
  startMoveCloud,
} from './move-cloud.ts';
import { MovingGuest } from './moving-guest.ts';
import { bootsOf, guestsOn, inGuest } from './qemu-cloud.ts';

/* A guest that counts on its console is moved between two machines while one thing after another fails. */

const TIMEOUT_MS = 60_000;
/** A guest's memory takes some seconds so. */
const SLOW_BYTES_S = 8 * 1024 * 1024;
const FAST_BYTES_S = 1024 * 1024 * 1024;
/** Numbers that follow one another, each in the file of memory that was written longest ago. */
const FILES = 256;
const WRITES_MEMORY = `(mkdir /run/memory; cd /run/memory; i=0
  while [ ! -e stop ]; do i=$((i+1)); echo $i >$((i%${FILES})); done; touch stopped) >/dev/null 2>&1 &`;
const WHAT_IT_WROTE = 'cd /run/memory; touch stop; while [ ! -e stopped ]; do sleep 0.1; done; cat [0-9]*';

let cloud: MoveCloud;
let guest: MovingGuest;

beforeAll(async () => {
  cloud = await startMoveCloud('10.94.0.0/24');
  guest = await MovingGuest.on(cloud);
});
afterAll(async () => {
  guest?.now.close();
  await cloud?.close();
});

const move = () =>
  cloud.admin.call('compute', 'POST', `/servers/${guest.id}/action`, {
    'os-migrateLive': { host: null, block_migration: true, disk_over_commit: false },
  });
/** Begins a move and waits until its memory is on its way. */
const inTheMiddle = () => guest.inTheMiddle(move, SLOW_BYTES_S, SLOW_BYTES_S / 4);

it('moves a guest with its disk as it runs, without losing or doubling a number', async () => {
  await until('the guest counting', TIMEOUT_MS, async () => guest.numbers().length > 20);
  await inGuest(guest.here.runner, guest.id, WRITES_MEMORY);
  await move();
  await moveReaches(cloud, guest.id, { status: 'running' });
  const next = new Console(guest.there, guest.id);
  let [last_ms, first_ms] = [0, 0];
  let size = 0;
  await until('the guest on its new machine', TIMEOUT_MS, async () => {
    const at_ms = performance.now();
    if (guest.now.size !== size) [size, last_ms] = [guest.now.size, at_ms];
    if (first_ms === 0 && next.size > 0) first_ms = at_ms;
    return first_ms > 0;
  });
  guest.changeHands(next);
  await guest.countsOn('after a live migration');
  const written = (await inGuest(guest.here.runner, guest.id, WHAT_IT_WROTE)).match(/\d+/g)?.map(Number) ?? [];
  const first = Math.min(...written);
  expect(written.map((number) => number - first).sort((one, other) => one - other)).toEqual([...Array(FILES).keys()]);
  expect(await lastMove(cloud, guest.id)).toEqual({ status: 'completed', phase: 'ended' });
  console.log(`downtime: ${Math.round(first_ms - last_ms)} ms between the last number here and the first one there`);
});

it('goes on where it was when the process that waits for it is killed', async () => {
  await inTheMiddle();
  const [pid] = (await guestsOn(guest.there.machine)).get(guest.id) ?? [];
  process.kill(pid as number, 'SIGKILL');
  await moveReaches(cloud, guest.id, { status: 'error', phase: 'ended' });
  await guest.countsOn('target killed');
});

it('goes on where it was when the line between the machines is cut', async () => {
  await inTheMiddle();
  await cloud.line('down');
  await moveReaches(cloud, guest.id, { status: 'error', phase: 'ended' });
  await cloud.line('up');
  await guest.countsOn('line cut');
});

it('goes on where it was when the runner that sends it is killed', async () => {
  await inTheMiddle();
  await guest.here.runner.kill();
  await guest.here.runner.start();
  await moveReaches(cloud, guest.id, { status: 'error', phase: 'ended' });
  await guest.countsOn('source runner killed');
});

it('goes on where it was when the control plane is away as it is to change hands', async () => {
  await inTheMiddle();
  guest.here.machine.line.away();
  await slowly(guest.here, guest.id, FAST_BYTES_S);
  const before = guest.numbers().length;
  await until('an end of the sending', TIMEOUT_MS, async () => (await memorySent(guest.here, guest.id)) === null);
  await until('the guest counting on alone', TIMEOUT_MS, async () => guest.numbers().length > before + 20);
  guest.here.machine.line.back();
  await moveReaches(cloud, guest.id, { status: 'error', phase: 'ended' });
  await guest.countsOn('control plane away');
});

it('comes whole though the runner that awaits it is killed, and the word that it was sent is lost', async () => {
  await inTheMiddle();
  await guest.there.runner.kill();
  guest.here.machine.line.stall();
  await slowly(guest.here, guest.id, FAST_BYTES_S);
  await until(
    'both standing still',
    TIMEOUT_MS,
    async () => (await copiesOf(cloud, guest.id))[guest.here.name] === 'postmigrate',
  );
  expect(await copiesOf(cloud, guest.id)).toEqual({ [guest.here.name]: 'postmigrate', [guest.there.name]: 'paused' });
  const next = new Console(guest.there, guest.id);
  await guest.here.runner.kill();
  guest.here.machine.line.back();
  await guest.here.runner.start();
  await guest.there.runner.start();
  await moveReaches(cloud, guest.id, { status: 'completed', phase: 'ended' });
  guest.changeHands(next);
  await guest.countsOn('target runner killed, report lost');
});

it('begins anew where it was when its own process is killed on the way', async () => {
  expect(await bootsOf(guest.here.runner, guest.id)).toBe(1);
  await inTheMiddle();
  const [pid] = (await guestsOn(guest.here.machine)).get(guest.id) ?? [];
  process.kill(pid as number, 'SIGKILL');
  await moveReaches(cloud, guest.id, { status: 'error', phase: 'ended' });
  await serverReaches(cloud.admin, guest.id, 'ACTIVE', TIMEOUT_MS);
  await settled(cloud, TIMEOUT_MS);
  expect(await bootsOf(guest.here.runner, guest.id)).toBe(2);
  expect(await copiesOf(cloud, guest.id)).toEqual({ [guest.here.name]: 'running' });
  expect(await databaseLeaks(cloud)).toEqual({});
  await deleteServer(cloud.admin, guest.id);
  await serverGone(cloud.admin, guest.id);
  for (const { machine } of [guest.here, guest.there]) expect((await guestsOn(machine)).size).toBe(0);
});
