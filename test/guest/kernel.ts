import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run.ts';

const APT_TIMEOUT_MS = 30_000;
const DOWNLOAD_TIMEOUT_MS = 180_000;
const UNPACK_TIMEOUT_MS = 60_000;

/** Three numbers at least: the shorter names are meta packages. */
const KERNEL_NAME = /^linux-image-(\d+\.\d+\.\d+\S*)-cloud-amd64$/;

export interface KernelPackage {
  name: string;
  version: string;
}

export interface KernelTree {
  vmlinuz: string;
  /** The folder with the modules and modules.dep. */
  modules: string;
}

/** The newest kernel for virtual machines that apt offers; package lists are fetched only when there are none. */
export async function newestKernel(): Promise<KernelPackage> {
  let name = await newestName();
  if (name === undefined) {
    await run('apt-get', ['update', '-qq'], { timeout_ms: DOWNLOAD_TIMEOUT_MS });
    name = await newestName();
  }
  if (name === undefined) throw new Error('apt offers no linux-image-*-cloud-amd64');
  const shown = await run('apt-cache', ['show', '--no-all-versions', name], { timeout_ms: APT_TIMEOUT_MS });
  const version = /^Version: (\S+)$/m.exec(shown.toString())?.[1];
  if (version === undefined) throw new Error(`apt-cache shows no version of ${name}`);
  return { name, version };
}

async function newestName(): Promise<string | undefined> {
  const found = await run('apt-cache', ['search', '--names-only', '^linux-image-.*-cloud-amd64$'], {
    timeout_ms: APT_TIMEOUT_MS,
  });
  const releases = found
    .toString()
    .split('\n')
    .map((line) => KERNEL_NAME.exec(line.split(' ')[0] ?? '')?.[1])
    .filter((release) => release !== undefined);
  const order = new Intl.Collator('en', { numeric: true });
  const newest = releases.sort(order.compare).at(-1);
  return newest === undefined ? undefined : `linux-image-${newest}-cloud-amd64`;
}

/** Downloads the package and unpacks it below `folder`; nothing is installed. */
export async function unpackKernel(kernel: KernelPackage, folder: string): Promise<KernelTree> {
  await run('apt-get', ['download', '-qq', `${kernel.name}=${kernel.version}`], {
    timeout_ms: DOWNLOAD_TIMEOUT_MS,
    cwd: folder,
  });
  const deb = (await readdir(folder)).find((file) => file.endsWith('.deb'));
  if (deb === undefined) throw new Error(`apt-get download left no package of ${kernel.name}`);
  const tree = join(folder, 'tree');
  await run('dpkg-deb', ['-x', join(folder, deb), tree], { timeout_ms: UNPACK_TIMEOUT_MS });
  const release = kernel.name.slice('linux-image-'.length);
  // The package's own installation would run this.
  await run('depmod', ['-b', tree, release], { timeout_ms: UNPACK_TIMEOUT_MS });
  return { vmlinuz: join(tree, 'boot', `vmlinuz-${release}`), modules: join(tree, 'lib', 'modules', release) };
}
