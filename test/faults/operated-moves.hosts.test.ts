import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../home/until.ts';
import { COUNT, countingErrors, numbersIn } from '../machine/counting-guest.ts';
import { createServer, serverReaches, settled } from './fault-cloud.ts';
import { databaseLeaks } from './leaks.ts';
import {
  Console,
  copiesOf,
  type MoveCloud,
  memorySent,
  moveReaches,
  type Place,
  slowly,
  startMoveCloud,
} from './move-cloud.ts';
import { bootsOf, guestsOn, inGuest } from './qemu-cloud.ts';

/* What operators do to a guest that counts on its console, with real machines. The tests follow one another. */

const TIMEOUT_MS = 60_000;
/** A guest's memory takes minutes so. */
const SLOW_BYTES_S = 512 * 1024;
const FAST_BYTES_S = 1024 * 1024 * 1024;
const MIB = 1024 ** 2;

let cloud: MoveCloud;
let id: string;
/** Where the guest is, its console there, and what it wrote before. */
let here: Place;
let there: Place;
let now: Console;
const written: string[] = [];

beforeAll(async () => {
  cloud = await startMoveCloud('10.95.0.0/24');
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
/** Calls compute at the newest version that there is. */
const compute = <T>(method: string, path: string, body?: unknown) =>
  cloud.admin.call<T>('compute', method, path, body, { 'openstack-api-version': 'compute 2.90' });
const act = (action: Record<string, unknown>) => compute('POST', `/servers/${id}/action`, action);
const move = () => act({ 'os-migrateLive': { host: null, block_migration: 'auto' } });
const numbers = () => numbersIn([...written, now.read()]);

/** The guest is the other machine's. */
function changeHands(console: Console): void {
  written.push(now.read());
  now.close();
  now = console;
  [here, there] = [there, here];
}

/** Begins a move that takes long, and waits until its memory is on its way. @returns where the move is found */
async function inTheMiddle(): Promise<string> {
  await slowly(here, id, SLOW_BYTES_S);
  await move();
  await until('memory on its way', TIMEOUT_MS, async () => ((await memorySent(here, id)) ?? 0) > SLOW_BYTES_S);
  const { migrations } = await compute<{ migrations: { id: number }[] }>('GET', `/servers/${id}/migrations`);
  return `/servers/${id}/migrations/${migrations[0]?.id}`;
}

/** It goes on counting, from where it was, in one copy. */
async function countsOn(): Promise<void> {
  const before = numbers().length;
  await until('the guest counting on', TIMEOUT_MS, async () => numbers().length > before + 5);
  expect(countingErrors(numbers())).toEqual([]);
  await settled(cloud, TIMEOUT_MS);
  expect(await copiesOf(cloud, id)).toEqual({ [here.name]: 'running' });
  expect(await databaseLeaks(cloud)).toEqual({});
}

interface Diagnostics {
  state: string;
  uptime: number;
  cpu_details: { id: number; time: number }[];
  disk_details: { read_bytes: number; write_bytes: number; write_requests: number }[];
  nic_details: { mac_address: string; rx_packets: number; tx_packets: number; tx_octets: number }[];
  memory_details: { maximum: number; used: number };
}

it('tells how a guest fares by what it did', async () => {
  const ask = () => compute<Diagnostics>('GET', `/servers/${id}/diagnostics`);
  const { ports } = await cloud.admin.call<{ ports: { mac_address: string }[] }>(
    'network',
    'GET',
    `/v2.0/ports?device_id=${id}`,
  );
  const before = await ask();
  expect(before).toMatchObject({ state: 'running', driver: 'libvirt', num_cpus: 1, num_nics: 1 });
  expect(before.nic_details[0]?.mac_address).toBe(ports[0]?.mac_address);
  expect(before.memory_details).toMatchObject({ maximum: 192 });
  await inGuest(here.runner, id, 'dd if=/dev/urandom of=/data/noise bs=1M count=4; sync; rm /data/noise');
  await inGuest(here.runner, id, 'ping -c 5 -i 0.2 10.95.0.2 || true');
  const after = await ask();
  const gained = (of: (one: Diagnostics) => number | undefined) => (of(after) ?? 0) - (of(before) ?? 0);
  expect(gained((one) => one.disk_details[0]?.write_bytes)).toBeGreaterThanOrEqual(4 * MIB);
  expect(gained((one) => one.nic_details[0]?.tx_packets)).toBeGreaterThan(0);
  expect(gained((one) => one.cpu_details[0]?.time)).toBeGreaterThan(0);
});

it('moves a guest that is paused, which stays so until somebody has it go on', async () => {
  await act({ pause: null });
  await serverReaches(cloud.admin, id, 'PAUSED', TIMEOUT_MS);
  const counted = numbers().length;
  await move();
  await moveReaches(cloud, id, { status: 'running' });
  const next = new Console(there, id);
  await moveReaches(cloud, id, { status: 'completed', phase: 'ended' });
  changeHands(next);
  await serverReaches(cloud.admin, id, 'PAUSED', TIMEOUT_MS);
  await settled(cloud, TIMEOUT_MS);
  expect(await copiesOf(cloud, id)).toEqual({ [here.name]: 'paused' });
  expect(numbers().length).toBe(counted);
  await act({ unpause: null });
  await serverReaches(cloud.admin, id, 'ACTIVE', TIMEOUT_MS);
  await countsOn();
});

it('has a guest stand still for the rest of its move when that is forced to an end', async () => {
  const path = await inTheMiddle();
  expect((await copiesOf(cloud, id))[here.name]).toBe('running');
  const next = new Console(there, id);
  await compute('POST', `${path}/action`, { force_complete: null });
  await until('the guest standing still', TIMEOUT_MS, async () => (await copiesOf(cloud, id))[here.name] === 'paused');
  expect(await memorySent(here, id)).not.toBeNull();
  const counted = numbers().length;
  await slowly(here, id, FAST_BYTES_S);
  await moveReaches(cloud, id, { status: 'completed', phase: 'ended' });
  expect(numbers().length).toBe(counted);
  changeHands(next);
  await countsOn();
});

it('leaves a guest paused that was so when its move was forced, and is then aborted', async () => {
  await act({ pause: null });
  await serverReaches(cloud.admin, id, 'PAUSED', TIMEOUT_MS);
  const counted = numbers().length;
  const path = await inTheMiddle();
  await compute('POST', `${path}/action`, { force_complete: null });
  const sent = (await memorySent(here, id)) ?? 0;
  await until('the force heard', TIMEOUT_MS, async () => ((await memorySent(here, id)) ?? 0) > sent + SLOW_BYTES_S);
  await compute('DELETE', path);
  await moveReaches(cloud, id, { status: 'cancelled', phase: 'ended' });
  await settled(cloud, TIMEOUT_MS);
  expect(await copiesOf(cloud, id)).toEqual({ [here.name]: 'paused' });
  expect(numbers().length).toBe(counted);
  await act({ unpause: null });
  await serverReaches(cloud.admin, id, 'ACTIVE', TIMEOUT_MS);
  await countsOn();
});

it('builds a guest anew elsewhere once its machine is dead, which lets go of it when it is back', async () => {
  const { server: before } = await compute<{ server: { addresses: unknown } }>('GET', `/servers/${id}`);
  await inGuest(here.runner, id, 'echo lost >/data/note; sync');
  await here.runner.kill();
  for (const pids of (await guestsOn(here.machine)).values()) for (const pid of pids) process.kill(pid, 'SIGKILL');
  await expect(act({ evacuate: {} })).rejects.toThrow(/still in use/);
  const { services } = await compute<{ services: { id: string }[] }>(
    'GET',
    `/os-services?host=${here.name}&binary=nova-compute`,
  );
  await compute('PUT', `/os-services/${services[0]?.id}`, { forced_down: true });
  await act({ evacuate: {} });
  await serverReaches(cloud.admin, id, 'ACTIVE', TIMEOUT_MS);
  expect(await bootsOf(there.runner, id)).toBe(1);
  expect((await inGuest(there.runner, id, 'ls /data')).split(/\s+/)).not.toContain('note');
  const { server: after } = await compute<{ server: { addresses: unknown } }>('GET', `/servers/${id}`);
  expect(after.addresses).toEqual(before.addresses);

  await here.runner.start();
  await settled(cloud, TIMEOUT_MS);
  await compute('PUT', `/os-services/${services[0]?.id}`, { forced_down: false });
  expect(await copiesOf(cloud, id)).toEqual({ [there.name]: 'running' });
  await moveReaches(cloud, id, { status: 'done', phase: 'ended' });
  expect(await databaseLeaks(cloud)).toEqual({});
});
