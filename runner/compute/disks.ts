import { chown, rename, rm } from 'node:fs/promises';
import type { ServerSpec } from '../../shared/specs/server.ts';
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
  if (spec.image.disk_format === 'iso' || (await statIfThere(paths.disk))) return;
  const image_bytes = await inspectImage(spec.image, { folder: paths.folder, name: NAMES.base, user });
  const disk_bytes = spec.disk_gib * BYTES_PER_GIB || image_bytes;
  if (image_bytes > disk_bytes) {
    throw new DriverError(
      `Flavor's disk is too small for requested image. Flavor disk is ${disk_bytes} bytes, image is ${image_bytes} bytes.`,
      { code: 400 },
    );
  }
  const unfinished = `${NAMES.disk}.new`;
  // Unsafe means that the image is not opened again: its size and format are known.
  const backing = ['-u', '-b', NAMES.base, '-F', qemuFormat(spec.image)];
  try {
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', ...backing, unfinished, String(disk_bytes)], {
      cwd: paths.folder,
    });
    await chown(`${paths.folder}/${unfinished}`, user.uid, user.gid);
    await rename(`${paths.folder}/${unfinished}`, paths.disk);
  } finally {
    await rm(`${paths.folder}/${unfinished}`, { force: true });
  }
}
