import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../home/until.ts';
import { serverReaches, settled } from './fault-cloud.ts';
import { databaseLeaks } from './leaks.ts';
import { Console, copiesOf, type MoveCloud, memorySent, moveReaches, slowly, startMoveCloud } from './move-cloud.ts';
import { MovingGuest } from './moving-guest.ts';
import { bootsOf, guestsOn, inGuest } from './qemu-cloud.ts';

/* What operators do to a guest that counts on its console, with real machines. The tests follow one another. */

const TIMEOUT_MS = 60_000;
/** A guest's memory takes minutes so. */
const SLOW_BYTES_S = 512 * 1024;
const FAST_BYTES_S = 1024 * 1024 * 1024;
const MIB = 1024 ** 2;

let cloud: MoveCloud;
let guest: MovingGuest;

beforeAll(async () => {
  cloud = await startMoveCloud('10.95.0.0/24');
  guest = await MovingGuest.on(cloud);
});
afterAll(async () => {
  guest?.now.close();
  await cloud?.close();
});

/** Calls compute at the newest version that there is. */
const compute = <T>(method: string, path: string, body?: unknown) =>
  cloud.admin.call<T>('compute', method, path, body, { 'openstack-api-version': 'compute 2.90' });
const act = (action: Record<string, unknown>) => compute('POST', `/servers/${guest.id}/action`, action);
const move = () => act({ 'os-migrateLive': { host: null, block_migration: 'auto' } });

/** Begins a move that takes long, and waits until its memory is on its way. @returns where the move is found */
async function inTheMiddle(): Promise<string> {
  await guest.inTheMiddle(move, SLOW_BYTES_S, SLOW_BYTES_S);
  const { migrations } = await compute<{ migrations: { id: number }[] }>('GET', `/servers/${guest.id}/migrations`);
  return `/servers/${guest.id}/migrations/${migrations[0]?.id}`;
}

/** Has the guest stand still. @returns how many numbers it had written */
async function pause(): Promise<number> {
  await act({ pause: null });
  await serverReaches(cloud.admin, guest.id, 'PAUSED', TIMEOUT_MS);
  return guest.numbers().length;
}

/** It is paused in one copy, has written no more than that, and goes on when it is told to. */
async function isPausedSince(counted: number): Promise<void> {
  await settled(cloud, TIMEOUT_MS);
  expect(await copiesOf(cloud, guest.id)).toEqual({ [guest.here.name]: 'paused' });
  expect(guest.numbers().length).toBe(counted);
  await act({ unpause: null });
  await serverReaches(cloud.admin, guest.id, 'ACTIVE', TIMEOUT_MS);
  await guest.countsOn('unpaused');
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
  const ask = () => compute<Diagnostics>('GET', `/servers/${guest.id}/diagnostics`);
  const { ports } = await cloud.admin.call<{ ports: { mac_address: string }[] }>(
    'network',
    'GET',
    `/v2.0/ports?device_id=${guest.id}`,
  );
  const before = await ask();
  expect(before).toMatchObject({ state: 'running', driver: 'libvirt', num_cpus: 1, num_nics: 1 });
  expect(before.nic_details[0]?.mac_address).toBe(ports[0]?.mac_address);
  expect(before.memory_details).toMatchObject({ maximum: 192 });
  await inGuest(guest.here.runner, guest.id, 'dd if=/dev/urandom of=/data/noise bs=1M count=4; sync; rm /data/noise');
  await inGuest(guest.here.runner, guest.id, 'ping -c 5 -i 0.2 10.95.0.2 || true');
  const after = await ask();
  const gained = (of: (one: Diagnostics) => number | undefined) => (of(after) ?? 0) - (of(before) ?? 0);
  expect(gained((one) => one.disk_details[0]?.write_bytes)).toBeGreaterThanOrEqual(4 * MIB);
  expect(gained((one) => one.nic_details[0]?.tx_packets)).toBeGreaterThan(0);
  expect(gained((one) => one.cpu_details[0]?.time)).toBeGreaterThan(0);
});

it('moves a guest that is paused, which stays so until somebody has it go on', async () => {
  const counted = await pause();
  await move();
  await moveReaches(cloud, guest.id, { status: 'running' });
  const next = new Console(guest.there, guest.id);
  await moveReaches(cloud, guest.id, { status: 'completed', phase: 'ended' });
  guest.changeHands(next);
  await serverReaches(cloud.admin, guest.id, 'PAUSED', TIMEOUT_MS);
  await isPausedSince(counted);
});

it('has a guest stand still for the rest of its move when that is forced to an end', async () => {
  const path = await inTheMiddle();
  expect((await copiesOf(cloud, guest.id))[guest.here.name]).toBe('running');
  const next = new Console(guest.there, guest.id);
  await compute('POST', `${path}/action`, { force_complete: null });
  await until(
    'the guest standing still',
    TIMEOUT_MS,
    async () => (await copiesOf(cloud, guest.id))[guest.here.name] === 'paused',
  );
  expect(await memorySent(guest.here, guest.id)).not.toBeNull();
  const counted = guest.numbers().length;
  await slowly(guest.here, guest.id, FAST_BYTES_S);
  await moveReaches(cloud, guest.id, { status: 'completed', phase: 'ended' });
  expect(guest.numbers().length).toBe(counted);
  guest.changeHands(next);
  await guest.countsOn('forced to an end');
});

it('leaves a guest paused that was so when its move was forced, and is then aborted', async () => {
  const counted = await pause();
  const path = await inTheMiddle();
  await compute('POST', `${path}/action`, { force_complete: null });
  const sent = (await memorySent(guest.here, guest.id)) ?? 0;
  await until(
    'the force heard',
    TIMEOUT_MS,
    async () => ((await memorySent(guest.here, guest.id)) ?? 0) > sent + SLOW_BYTES_S,
  );
  await compute('DELETE', path);
  await moveReaches(cloud, guest.id, { status: 'cancelled', phase: 'ended' });
  await isPausedSince(counted);
});

it('builds a guest anew elsewhere once its machine is dead, which lets go of it when it is back', async () => {
  const { server: before } = await compute<{ server: { addresses: unknown } }>('GET', `/servers/${guest.id}`);
  await inGuest(guest.here.runner, guest.id, 'echo lost >/data/note; sync');
  await guest.here.runner.kill();
  for (const pids of (await guestsOn(guest.here.machine)).values())
    for (const pid of pids) process.kill(pid, 'SIGKILL');
  await expect(act({ evacuate: {} })).rejects.toThrow(/still in use/);
  const { services } = await compute<{ services: { id: string }[] }>(
    'GET',
    `/os-services?host=${guest.here.name}&binary=nova-compute`,
  );
  await compute('PUT', `/os-services/${services[0]?.id}`, { forced_down: true });
  await act({ evacuate: {} });
  await serverReaches(cloud.admin, guest.id, 'ACTIVE', TIMEOUT_MS);
  expect(await bootsOf(guest.there.runner, guest.id)).toBe(1);
  expect((await inGuest(guest.there.runner, guest.id, 'ls /data')).split(/\s+/)).not.toContain('note');
  const { server: after } = await compute<{ server: { addresses: unknown } }>('GET', `/servers/${guest.id}`);
  expect(after.addresses).toEqual(before.addresses);

  await guest.here.runner.start();
  await settled(cloud, TIMEOUT_MS);
  await compute('PUT', `/os-services/${services[0]?.id}`, { forced_down: false });
  expect(await copiesOf(cloud, guest.id)).toEqual({ [guest.there.name]: 'running' });
  await moveReaches(cloud, guest.id, { status: 'done', phase: 'ended' });
  expect(await databaseLeaks(cloud)).toEqual({});
});
