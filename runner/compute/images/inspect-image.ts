import type { ImageRef } from '../../../shared/specs/server.ts';
import { DriverError } from '../../driver.ts';
import { asUser } from '../../host/as-user.ts';
import { CommandError, run } from '../../host/run.ts';
import type { User } from '../../host/users.ts';

const INSPECT_TIMEOUT_MS = 30_000;
const INSPECT_MEMORY_BYTES_MAX = 1024 ** 3;
const INSPECT_CPU_S_MAX = 20;

interface ImageInfo {
  format: string;
  'virtual-size': number;
  'backing-filename'?: string;
  'full-backing-filename'?: string;
  encrypted?: boolean;
  'format-specific'?: { data?: { 'data-file'?: string } };
}

/** The format that QEMU is told; it never guesses, for a tenant could make a raw image look like another. */
export function qemuFormat(ref: ImageRef): 'qcow2' | 'raw' {
  return ref.disk_format === 'qcow2' ? 'qcow2' : 'raw';
}

/**
 * Looks at an image as the guests' user and answers its virtual size, in bytes.
 * @throws DriverError when it names other files, is encrypted, or is not what it says it is
 */
export async function inspectImage(ref: ImageRef, at: { folder: string; name: string; user: User }): Promise<number> {
  const info = await imageInfo(qemuFormat(ref), at).catch((error: unknown) => {
    const output = error instanceof CommandError ? error.output.trim() : String(error);
    throw new DriverError(`Image ${ref.id} is not a usable ${ref.disk_format} image: ${output}`, {
      code: 400,
      cause: error,
    });
  });
  const refuse = (why: string) => new DriverError(`Image ${ref.id} is refused: ${why}`, { code: 400 });
  if (info['backing-filename'] ?? info['full-backing-filename']) throw refuse('it has a backing file');
  if (info['format-specific']?.data?.['data-file']) throw refuse('it has a data file');
  if (info.encrypted) throw refuse('it is encrypted');
  return info['virtual-size'];
}

/** The virtual size of a guest's own disk, which may be in use, in bytes. @throws CommandError */
export async function diskBytes(at: { folder: string; name: string; user: User }): Promise<number> {
  return (await imageInfo('qcow2', at, ['-U']))['virtual-size'];
}

async function imageInfo(
  format: 'qcow2' | 'raw',
  at: { folder: string; name: string; user: User },
  options: readonly string[] = [],
): Promise<ImageInfo> {
  const limits = ['prlimit', `--as=${INSPECT_MEMORY_BYTES_MAX}`, `--cpu=${INSPECT_CPU_S_MAX}`];
  const look = ['qemu-img', 'info', ...options, '--output=json', '-f', format, at.name];
  const [command = '', ...args] = asUser(at.user, [...limits, ...look]);
  const { stdout } = await run(command, args, { cwd: at.folder, timeout_ms: INSPECT_TIMEOUT_MS });
  return JSON.parse(stdout) as ImageInfo;
}
