import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { tool } from './tool.ts';

const DOWNLOAD_TIMEOUT_MS = 180_000;

/**
 * Its one dependency is the newest kernel of the Debian release.
 * apt may offer later series too: those take half as long again to boot without KVM.
 */
const META_PACKAGE = 'linux-image-cloud-amd64';
const DEPENDENCY = /^Depends: (linux-image-\S+-cloud-amd64) \(= (\S+)\)/m;

/** For -append when the guest boots by -kernel. Those after net.ifnames save a fifth of the boot without KVM. */
export const KERNEL_ARGUMENTS =
  'console=ttyS0 quiet panic=1 net.ifnames=0 nokaslr mitigations=off tsc=reliable no_timer_check cryptomgr.notests';

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
  const found = await findKernel();
  if (found) return found;
  await tool('apt-get', ['update', '-qq'], { timeout_ms: DOWNLOAD_TIMEOUT_MS });
  const updated = await findKernel();
  if (!updated) throw new Error(`apt offers no ${META_PACKAGE}`);
  return updated;
}

async function findKernel(): Promise<KernelPackage | undefined> {
  // It fails for a package it does not know.
  const shown = await tool('apt-cache', ['show', '--no-all-versions', META_PACKAGE]).catch(() => '');
  const [, name, version] = DEPENDENCY.exec(shown) ?? [];
  return name && version ? { name, version } : undefined;
}

/** Downloads the package and unpacks it below `folder`; nothing is installed. */
export async function unpackKernel(kernel: KernelPackage, folder: string): Promise<KernelTree> {
  await tool('apt-get', ['download', '-qq', `${kernel.name}=${kernel.version}`], {
    timeout_ms: DOWNLOAD_TIMEOUT_MS,
    cwd: folder,
  });
  const deb = (await readdir(folder)).find((file) => file.endsWith('.deb'));
  if (deb === undefined) throw new Error(`apt-get download left no package of ${kernel.name}`);
  const tree = join(folder, 'tree');
  await tool('dpkg-deb', ['-x', join(folder, deb), tree]);
  const release = kernel.name.slice('linux-image-'.length);
  // The package's own installation would run this.
  await tool('depmod', ['-b', tree, release]);
  return { vmlinuz: join(tree, 'boot', `vmlinuz-${release}`), modules: join(tree, 'lib', 'modules', release) };
}
