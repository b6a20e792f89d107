import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createServer, deleteServer, serverGone, serverReaches, settled, showServer } from './fault-cloud.ts';
import { databaseLeaks } from './leaks.ts';
import { bootsOf, guestProcesses, inGuest, type QemuCloud, qemuLeaks, startQemuCloud } from './qemu-cloud.ts';

/** From before the runner heard of a server to after its guest has begun to boot. */
const CREATE_KILLS_MS = [30, 250, 600, 1_300];
const DELETE_KILLS_MS = [0, 40, 120, 300];
const TIMEOUT_MS = 120_000;

let cloud: QemuCloud;

beforeAll(async () => {
  cloud = await startQemuCloud('10.91.0.0/24');
});
afterAll(async () => cloud?.close());

async function checkNothingLeaked(context: string): Promise<void> {
  await settled(cloud, TIMEOUT_MS);
  expect(await databaseLeaks(cloud), context).toEqual({});
  expect(await qemuLeaks(cloud), context).toEqual([]);
}

const act = (id: string, action: Record<string, unknown>) =>
  cloud.admin.call('compute', 'POST', `/servers/${id}/action`, action);

it('starts each guest once and leaves nothing of it, whenever its runner is killed', async () => {
  const ids: string[] = [];
  for (const offsetMs of CREATE_KILLS_MS) {
    const id = await createServer(cloud, `killed-${offsetMs}`);
    ids.push(id);
    await delay(offsetMs);
    await cloud.runner.kill();
    await cloud.runner.start();
    await serverReaches(cloud.admin, id, 'ACTIVE', TIMEOUT_MS);
    await checkNothingLeaked(`runner killed ${offsetMs} ms into a create`);
  }
  for (const id of ids) expect(await bootsOf(cloud, id), id).toBe(1);
  for (const [index, offsetMs] of DELETE_KILLS_MS.entries()) {
    const id = ids[index] ?? '';
    await deleteServer(cloud.admin, id);
    await delay(offsetMs);
    await cloud.runner.kill();
    await cloud.runner.start();
    await serverGone(cloud.admin, id);
    await checkNothingLeaked(`runner killed ${offsetMs} ms into a delete`);
  }
});

it('tells the truth of guests that die or go by themselves, and brings them back when asked', async () => {
  const id = await createServer(cloud, 'mortal');
  await serverReaches(cloud.admin, id, 'ACTIVE', TIMEOUT_MS);
  expect(await bootsOf(cloud, id)).toBe(1);
  const [pid] = (await guestProcesses(cloud)).get(id) ?? [];
  process.kill(pid as number, 'SIGKILL');
  const dead = await serverReaches(cloud.admin, id, 'ERROR');
  expect(dead.fault).toMatchObject({ code: 500, message: 'The guest stopped: its process ended unexpectedly.' });
  expect((await guestProcesses(cloud)).has(id)).toBe(false);
  await act(id, { reboot: { type: 'HARD' } });
  expect((await serverReaches(cloud.admin, id, 'ACTIVE', TIMEOUT_MS)).fault).toBeUndefined();
  expect(await bootsOf(cloud, id)).toBe(2);
  await inGuest(cloud.runner, id, '(sleep 0.2; poweroff) >/dev/null 2>&1 &');
  await serverReaches(cloud.admin, id, 'SHUTOFF');
  // One that went by itself stays off, also for a runner that begins anew.
  await cloud.runner.kill();
  await cloud.runner.start();
  await settled(cloud);
  expect((await showServer(cloud.admin, id))?.status).toBe('SHUTOFF');
  expect((await guestProcesses(cloud)).has(id)).toBe(false);
  await act(id, { 'os-start': null });
  await serverReaches(cloud.admin, id, 'ACTIVE', TIMEOUT_MS);
  expect(await bootsOf(cloud, id)).toBe(3);
  await checkNothingLeaked('after its lives');
  await deleteServer(cloud.admin, id);
  await serverGone(cloud.admin, id);
});

it('keeps guests running while the edge is away, and after a power cut starts them again without it', async () => {
  const id = await createServer(cloud, 'steady');
  await serverReaches(cloud.admin, id, 'ACTIVE', TIMEOUT_MS);
  const boots = await bootsOf(cloud, id);
  const before = (await guestProcesses(cloud)).get(id);
  cloud.machine.line.away();
  expect(await bootsOf(cloud, id)).toBe(boots);
  await cloud.runner.kill();
  await cloud.runner.start({ wait: false });
  expect(await bootsOf(cloud, id)).toBe(boots);
  expect((await guestProcesses(cloud)).get(id)).toEqual(before);
  await cloud.cutPower();
  expect((await guestProcesses(cloud)).size).toBe(0);
  await cloud.runner.start({ wait: false });
  expect(await bootsOf(cloud, id)).toBe(boots + 1);
  // It has its address again, and reaches its gateway.
  expect(
    await inGuest(cloud.runner, id, 'for i in $(seq 60); do ip -o -4 addr | grep 10.91 && break; sleep 1; done'),
  ).toMatch(/10\.91\.0\.\d+/);
  cloud.machine.line.back();
  await cloud.runner.kill();
  await cloud.runner.start();
  await settled(cloud);
  expect((await showServer(cloud.admin, id))?.status).toBe('ACTIVE');
  expect(await bootsOf(cloud, id)).toBe(boots + 1);
  await checkNothingLeaked('after the power cut');
  await deleteServer(cloud.admin, id);
  await serverGone(cloud.admin, id);
  await checkNothingLeaked('the end');
});
