import { openAsBlob } from 'node:fs';
import { rm } from 'node:fs/promises';
import { DriverError } from '../driver.ts';
import { asUser } from '../host/as-user.ts';
import { statIfThere } from '../host/files.ts';
import { run } from '../host/run.ts';
import type { ComputeContext } from './context.ts';
import { createDisk } from './disks.ts';
import { guestPaths, NAMES } from './guest-paths.ts';
import type { Guests } from './guests.ts';
import { diskBytes } from './images/inspect-image.ts';
import { sendImage } from './images/upload.ts';
import type { LiveGuest } from './live-guest.ts';
import { runJob } from './qemu-job.ts';

/** A large disk on a slow machine; the operation has a deadline of its own. */
const COPY_WAIT_MS = 3_600_000;
/** QEMU's name for the copy. */
const NODE = 'snapshot';

/**
 * Copies a guest's disk as it is at one moment, and sends the copy to the image store. The guest runs on meanwhile.
 * @throws DriverError, also when the signal fires; no copy is left
 */
export async function snapshotGuest(
  ctx: ComputeContext,
  guests: Guests,
  id: string,
  imageId: string,
  signal: AbortSignal,
): Promise<void> {
  const paths = guestPaths(ctx.stateDir, id);
  if (!(await statIfThere(paths.disk))) throw new DriverError('The server has no disk of its own', { code: 409 });
  try {
    await guests.alone(id, async () => {
      const size_bytes = await diskBytes({ folder: paths.folder, name: NAMES.disk, user: ctx.user });
      const live = await guests.find(id);
      if (live) await detach(live);
      await createDisk(paths, ctx.user, NAMES.snapshot, [], size_bytes);
      if (live) await copyLive(live, signal);
      else await copyFile(ctx, paths.folder, signal);
    });
    const data = await openAsBlob(paths.snapshot);
    await sendImage(ctx.uploadImage, { id: imageId, data }, ctx.log, signal);
  } finally {
    await rm(paths.snapshot, { force: true });
  }
}

async function copyLive(live: LiveGuest, signal: AbortSignal): Promise<void> {
  const file = { driver: 'file', filename: NAMES.snapshot, discard: 'unmap' };
  await live.execute('blockdev-add', { 'node-name': NODE, driver: 'qcow2', discard: 'unmap', file });
  try {
    const copy = { device: 'root', target: NODE, sync: 'full', 'auto-dismiss': false };
    await runJob(live, 'blockdev-backup', copy, { timeout_ms: COPY_WAIT_MS, signal });
  } finally {
    await detach(live);
  }
}

/** Has QEMU close the copy, also one that an earlier process of the runner left open. */
async function detach(live: LiveGuest): Promise<void> {
  await live.execute('blockdev-del', { 'node-name': NODE }).catch(() => {});
}

async function copyFile(ctx: ComputeContext, folder: string, signal: AbortSignal): Promise<void> {
  const copy = ['qemu-img', 'convert', '-n', '-f', 'qcow2', '-O', 'qcow2', NAMES.disk, NAMES.snapshot];
  const [command = '', ...args] = asUser(ctx.user, copy);
  await run(command, args, { cwd: folder, timeout_ms: COPY_WAIT_MS, signal });
}
