import { chown, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerSpec } from '../../shared/specs/server.ts';
import { statIfThere } from '../host/files.ts';
import { run } from '../host/run.ts';
import type { ComputeContext } from './context.ts';
import { guestPaths, NAMES } from './guest-paths.ts';
import type { GuestRecord } from './guest-record.ts';
import type { Guests } from './guests.ts';
import type { LiveGuest } from './live-guest.ts';

const BYTES_PER_GIB = 1024 ** 3;
/** A copy of a disk takes as long as its bytes take. */
const COPY_TIMEOUT_MS = 30 * 60_000;

interface Found {
  record: GuestRecord;
  live: LiveGuest | null;
}

/**
 * Brings a guest's size in line with its spec: one that runs in another is turned off for it, and its disk as it was is
 * kept, put back or let go of.
 */
export async function fitSize(
  ctx: ComputeContext,
  guests: Guests,
  spec: ServerSpec,
  found: Found,
  signal: AbortSignal,
): Promise<Found> {
  let { record, live } = found;
  const keeps = spec.old_disk === 'keep' && !record.old_disk;
  const restores = spec.old_disk === 'restore' && record.old_disk;
  const drops = spec.old_disk === null && record.old_disk;
  if (live && (keeps || restores || differs(record, spec))) {
    await guests.stop(live, signal);
    live = null;
    record = { ...record, process: null, down: null };
    await guests.keep(spec.id, record);
  }
  if (!keeps && !restores && !drops) {
    if (!live) await growDisk(ctx, spec);
    return { record, live };
  }
  const { folder, disk, oldDisk } = guestPaths(ctx.stateDir, spec.id);
  if (keeps && (await statIfThere(disk))) {
    const unfinished = join(folder, `${NAMES.oldDisk}.new`);
    await run('cp', ['--reflink=auto', '--sparse=always', disk, unfinished], { timeout_ms: COPY_TIMEOUT_MS, signal });
    await chown(unfinished, ctx.user.uid, ctx.user.gid);
    await rename(unfinished, oldDisk);
  }
  if (restores && (await statIfThere(oldDisk))) await rename(oldDisk, disk);
  if (drops) await rm(oldDisk, { force: true });
  const settled = { ...record, old_disk: keeps };
  await guests.keep(spec.id, settled);
  if (!live) await growDisk(ctx, spec);
  return { record: settled, live };
}

const differs = ({ size }: GuestRecord, spec: ServerSpec) =>
  size !== null && (size.vcpus !== spec.vcpus || size.memory_mib !== spec.memory_mib);

/** Makes a disk as large as the spec says; never smaller, which would cut off what is on it. */
async function growDisk(ctx: ComputeContext, spec: ServerSpec): Promise<void> {
  const { folder, disk } = guestPaths(ctx.stateDir, spec.id);
  if (spec.disk_gib === 0 || spec.image.disk_format === 'iso' || !(await statIfThere(disk))) return;
  // The header alone is read: what a guest wrote there names no other file, for its backing file is given here.
  const info = await run('qemu-img', ['info', '-U', '--output=json', '-f', 'qcow2', NAMES.disk], { cwd: folder });
  const { 'virtual-size': size_bytes } = JSON.parse(info.stdout) as { 'virtual-size': number };
  const wanted_bytes = spec.disk_gib * BYTES_PER_GIB;
  if (size_bytes >= wanted_bytes) return;
  await run('qemu-img', ['resize', '-q', '-f', 'qcow2', NAMES.disk, String(wanted_bytes)], { cwd: folder });
}
