import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../home/until.ts';
import { run } from '../../runner/host/run.ts';
import {
  createServer,
  deleteServer,
  serverGone,
  serverReaches,
  settled,
  showServer,
  uploadImage,
} from './fault-cloud.ts';
import { databaseLeaks } from './leaks.ts';
import { bootsOf, guestProcesses, inGuest, type QemuCloud, qemuLeaks, startQemuCloud, statusOf } from './qemu-cloud.ts';

const MIB = 1024 * 1024;
const DISK_MIB = 320;
const IMAGE_BYTES = 24 * MIB;
const TIMEOUT_MS = 60_000;

let cloud: QemuCloud;
let disk: string;
let steady: string;

beforeAll(async () => {
  disk = mkdtempSync(join(tmpdir(), 'aerostat-disk-'));
  await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m,mode=700`, 'aerostat-faults', disk]);
  cloud = await startQemuCloud('10.93.0.0/24', join(disk, 'state'));
  // The scheduler would place nothing on a machine as small as this.
  await cloud.edge.db.run(sql`UPDATE runners SET disk_gib_allocatable = 100`);
  steady = await createServer(cloud, 'steady');
  await serverReaches(cloud.admin, steady, 'ACTIVE', TIMEOUT_MS);
  expect(await bootsOf(cloud, steady)).toBe(1);
});
afterAll(async () => {
  empty();
  await cloud?.close();
  await run('umount', ['--lazy', disk]);
  rmSync(disk, { recursive: true, force: true });
});

const ballast = () => join(disk, 'ballast');
const freeBytes = () => {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
};

/** Takes all space but so much. */
function fill(leave_bytes: number): void {
  rmSync(ballast(), { force: true });
  try {
    writeFileSync(ballast(), Buffer.alloc(Math.max(0, freeBytes() - leave_bytes)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
const empty = () => rmSync(ballast(), { force: true });

async function steadyUnharmed(context: string): Promise<void> {
  expect((await showServer(cloud.admin, steady))?.status, context).toBe('ACTIVE');
  expect(await bootsOf(cloud, steady), context).toBe(1);
}

const filesOfGuests = () => readdirSync(join(cloud.runner.stateDir, 'guests'));
const parts = () => readdirSync(join(cloud.runner.stateDir, 'images')).filter((name) => name.endsWith('.part'));

it('ends a create in ERROR that says so where an image does not fit, and creates again once there is room', async () => {
  const imageId = await uploadImage(cloud.admin, randomBytes(IMAGE_BYTES));
  fill(IMAGE_BYTES / 2);
  const id = await createServer({ ...cloud, imageId }, 'too-large');
  const { fault } = await serverReaches(cloud.admin, id, 'ERROR', TIMEOUT_MS);
  expect(fault?.message).toBe(`No space is left on the machine for image ${imageId} of ${IMAGE_BYTES} bytes`);
  expect(parts()).toEqual([]);
  await steadyUnharmed('too large an image');
  await deleteServer(cloud.admin, id);
  await serverGone(cloud.admin, id);
  expect(filesOfGuests()).toEqual([steady]);
  empty();
  const again = await createServer({ ...cloud, imageId }, 'fits');
  await serverReaches(cloud.admin, again, 'ACTIVE', TIMEOUT_MS);
  await deleteServer(cloud.admin, again);
  await serverGone(cloud.admin, again);
});

it('survives a disk without a byte: creates end in ERROR that says so, deletes are done once there is room', async () => {
  const doomed = await createServer(cloud, 'doomed');
  await serverReaches(cloud.admin, doomed, 'ACTIVE', TIMEOUT_MS);
  fill(0);
  const id = await createServer(cloud, 'no-space');
  const { fault } = await serverReaches(cloud.admin, id, 'ERROR', TIMEOUT_MS);
  expect(fault).toMatchObject({ code: 507, message: expect.stringContaining('free space in the state folder') });
  await deleteServer(cloud.admin, doomed);
  await deleteServer(cloud.admin, id);
  empty();
  await serverGone(cloud.admin, doomed, TIMEOUT_MS);
  await serverGone(cloud.admin, id, TIMEOUT_MS);
  const after = await createServer(cloud, 'after');
  await serverReaches(cloud.admin, after, 'ACTIVE', TIMEOUT_MS);
  await steadyUnharmed('a full disk');
  await deleteServer(cloud.admin, after);
  await serverGone(cloud.admin, after);
});

it('halts a guest that finds no room to write, and lets it go on once there is', async () => {
  fill(0);
  await inGuest(
    cloud.runner,
    steady,
    '(dd if=/dev/urandom of=/data/much bs=64k count=64; sync; touch /tmp/written) >/dev/null 2>&1 &',
  );
  await until(
    'the guest halted',
    TIMEOUT_MS,
    async () => (await statusOf(cloud.runner.stateDir, steady)) === 'io-error',
  );
  empty();
  expect(
    await inGuest(
      cloud.runner,
      steady,
      'for i in $(seq 60); do [ -e /tmp/written ] && break; sleep 1; done; ls /tmp/written',
    ),
  ).toContain('written');
  await steadyUnharmed('halted and resumed');
});

it('takes a machine down though its disk is full, and starts its guests again', async () => {
  await cloud.runner.kill();
  fill(0);
  await cloud.takeDown();
  expect((await guestProcesses(cloud)).size).toBe(0);
  empty();
  await cloud.runner.start();
  await serverReaches(cloud.admin, steady, 'ACTIVE');
  expect(await bootsOf(cloud, steady)).toBe(2);
  await deleteServer(cloud.admin, steady);
  await serverGone(cloud.admin, steady);
  await settled(cloud);
  expect(await databaseLeaks(cloud)).toEqual({});
  expect(await qemuLeaks(cloud)).toEqual([]);
});
