import { chown, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageRef, ServerSpec } from '../../shared/specs/server.ts';
import { DriverError } from '../driver.ts';
import { statIfThere } from '../host/files.ts';
import { run } from '../host/run.ts';
import type { User } from '../host/users.ts';
import { type GuestPaths, NAMES } from './guest-paths.ts';
import { inspectImage, qemuFormat } from './images/inspect-image.ts';

const BYTES_PER_GIB = 1024 ** 3;

/**
 * Makes a guest's disk: an overlay on its image, of the flavor's size, or the image's own when the flavor has none. A disk
 * that is there stays as it is.
 * @throws DriverError when the image is refused or larger than the flavor's disk
 */
export async function ensureDisk(spec: ServerSpec, paths: GuestPaths, user: User): Promise<void> {
  const { image } = spec;
  await ensureOverlay(spec, paths, user, { image, base: NAMES.base, disk: NAMES.disk, grown: true });
}

/**
 * Makes the disk that a rescued guest runs from, of its image's size: beyond the guest's own nothing is claimed for it.
 * @throws DriverError when the image is refused or larger than the flavor's disk
 */
export async function ensureRescueDisk(
  spec: Pick<ServerSpec, 'disk_gib'>,
  image: ImageRef,
  paths: GuestPaths,
  user: User,
): Promise<void> {
  const { rescueBase: base, rescueDisk: disk } = NAMES;
  await ensureOverlay(spec, paths, user, { image, base, disk, grown: false });
}

/** @param of.grown - whether the disk is of the flavor's size, not of the image's */
async function ensureOverlay(
  { disk_gib }: Pick<ServerSpec, 'disk_gib'>,
  paths: GuestPaths,
  user: User,
  of: { image: ImageRef; base: string; disk: string; grown: boolean },
): Promise<void> {
  const { image, base, disk, grown } = of;
  if (image.disk_format === 'iso' || (await statIfThere(join(paths.folder, disk)))) return;
  const image_bytes = await inspectImage(image, { folder: paths.folder, name: base, user });
  const disk_bytes = disk_gib * BYTES_PER_GIB || image_bytes;
  if (image_bytes > disk_bytes) {
    throw new DriverError(
      `Flavor's disk is too small for requested image. Flavor disk is ${disk_bytes} bytes, image is ${image_bytes} bytes.`,
      { code: 400 },
    );
  }
  // Unsafe means that the image is not opened again: its size and format are known.
  await createDisk(paths, user, disk, ['-u', '-b', base, '-F', qemuFormat(image)], grown ? disk_bytes : image_bytes);
}

/** Makes an empty qcow2 disk of the guests' user; one of this name is replaced. */
export async function createDisk(
  paths: GuestPaths,
  user: User,
  name: string,
  options: readonly string[],
  size_bytes: number,
): Promise<void> {
  const unfinished = join(paths.folder, `${name}.new`);
  try {
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', ...options, `${name}.new`, String(size_bytes)], {
      cwd: paths.folder,
    });
    await chown(unfinished, user.uid, user.gid);
    await rename(unfinished, join(paths.folder, name));
  } finally {
    await rm(unfinished, { force: true });
  }
}
