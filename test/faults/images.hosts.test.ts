import { createHash, randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { images } from '../../db/schema/image.ts';
import { createServer, deleteServer, serverGone, serverReaches, settled, uploadImage } from './fault-cloud.ts';
import { databaseLeaks } from './leaks.ts';
import { type QemuCloud, qemuLeaks, startQemuCloud } from './qemu-cloud.ts';

/** Nothing boots from it; that is not asked here. */
const IMAGE_BYTES = 3 * 1024 * 1024;
const TIMEOUT_MS = 120_000;

let cloud: QemuCloud;

beforeAll(async () => {
  cloud = await startQemuCloud('10.92.0.0/24');
});
afterAll(async () => cloud?.close());

async function checkNothingLeaked(): Promise<void> {
  await settled(cloud, TIMEOUT_MS);
  expect(await databaseLeaks(cloud)).toEqual({});
  expect(await qemuLeaks(cloud)).toEqual([]);
}

/** Turns bits over in the middle of a file; done twice, it is as it was. */
function flip(path: string): void {
  const file = openSync(path, 'r+');
  const at = Math.floor(statSync(path).size / 2);
  const bytes = Buffer.alloc(16);
  readSync(file, bytes, 0, bytes.length, at);
  for (const [index, byte] of bytes.entries()) bytes[index] = byte ^ 0xff;
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

/** An image that no machine has yet: its id, its digest, and where the edge keeps it. */
async function newImage(): Promise<{ id: string; sha256: string; blob: string }> {
  const id = await uploadImage(cloud.admin, randomBytes(IMAGE_BYTES));
  const [row] = await cloud.edge.db.select().from(images).where(eq(images.id, id));
  return { id, sha256: row?.sha256 ?? '', blob: join(cloud.paths.blobs, row?.blobKey ?? '') };
}

it('makes no server of an image that was damaged in the store, and says so; once it is whole again, it does', async () => {
  const { id: imageId, sha256, blob } = await newImage();
  flip(blob);
  const id = await createServer({ ...cloud, imageId }, 'of-damaged');
  const { fault } = await serverReaches(cloud.admin, id, 'ERROR', TIMEOUT_MS);
  expect(fault?.message).toMatch(
    new RegExp(`^Image ${imageId} is corrupt: its SHA-256 is [0-9a-f]{64}, not ${sha256}$`),
  );
  await deleteServer(cloud.admin, id);
  await serverGone(cloud.admin, id);
  await checkNothingLeaked();
  flip(blob);
  const again = await createServer({ ...cloud, imageId }, 'of-repaired');
  await serverReaches(cloud.admin, again, 'ACTIVE', TIMEOUT_MS);
  await checkNothingLeaked();
  await deleteServer(cloud.admin, again);
  await serverGone(cloud.admin, again);
});

it('fetches anew what was damaged in the cache of a machine', async () => {
  const { id: imageId, sha256 } = await newImage();
  const first = await createServer({ ...cloud, imageId }, 'first');
  await serverReaches(cloud.admin, first, 'ACTIVE', TIMEOUT_MS);
  await deleteServer(cloud.admin, first);
  await serverGone(cloud.admin, first);
  const path = join(cloud.runner.stateDir, 'images', sha256);
  flip(path);
  const second = await createServer({ ...cloud, imageId }, 'second');
  await serverReaches(cloud.admin, second, 'ACTIVE', TIMEOUT_MS);
  expect(createHash('sha256').update(readFileSync(path)).digest('hex')).toBe(sha256);
  await deleteServer(cloud.admin, second);
  await serverGone(cloud.admin, second);
  await checkNothingLeaked();
});
