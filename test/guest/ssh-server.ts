import { chmod, copyFile, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { tool } from './tool.ts';

const SERVER = '/usr/sbin/dropbear';
/** What `ldd` says of a library that is a file: its path, alone or after an arrow. */
const LIBRARY = /(\/\S+) \(0x/g;

/**
 * Copies an SSH server with its libraries into a folder, as the guest starts it (rootfs/lib/guest/ssh). It is on the data
 * partition rather than in the initrd, which every guest unpacks whole.
 */
export async function copySshServer(folder: string): Promise<void> {
  await mkdir(folder);
  const libraries = [...(await tool('ldd', [SERVER])).matchAll(LIBRARY)].map(([, path]) => path ?? '');
  for (const path of [SERVER, ...libraries]) {
    const copy = join(folder, basename(path));
    await copyFile(path, copy);
    await chmod(copy, 0o755);
  }
}
