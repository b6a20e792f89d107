import { createHash } from 'node:crypto';
import { access, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buildDisk } from './disk.ts';
import { buildInitrd } from './initrd.ts';
import { type KernelPackage, newestKernel, unpackKernel } from './kernel.ts';

const SOURCE = import.meta.dirname;
const CACHE = join(SOURCE, '..', '..', '.cache', 'guest');

/** What decides how the image comes out, beside the kernel package. */
const RECIPE = ['init', 'rootfs', 'kernel.ts', 'initrd.ts', 'disk.ts', 'ssh-server.ts', 'tool.ts', 'build-guest.ts'];

const KEY_CHARACTERS = 16;
const WORK_PREFIX = 'building-';
/** A build takes seconds: an older work folder belongs to one that was killed. */
const WORK_AGE_MAX_MS = 60 * 60 * 1000;

export interface Guest {
  /** vmlinuz, for -kernel. */
  kernel: string;
  /** For -initrd. */
  ramdisk: string;
  /** A bootable qcow2 that needs neither of the others. */
  disk: string;
}

/**
 * Builds the test guest, or answers the one built before from the same recipe and kernel.
 * @example const { disk } = await buildGuest();
 */
export async function buildGuest(options: { cacheDir?: string } = {}): Promise<Guest> {
  const cache = options.cacheDir ?? CACHE;
  const kernel = await newestKernel();
  const folder = join(cache, await cacheKey(kernel));
  if (!(await exists(folder))) {
    await mkdir(cache, { recursive: true });
    await removeAbandoned(cache);
    const work = await mkdtemp(join(cache, WORK_PREFIX));
    try {
      await build(kernel, work);
      await publish(join(work, 'out'), folder);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  return guestIn(folder);
}

function guestIn(folder: string): Guest {
  return { kernel: join(folder, 'vmlinuz'), ramdisk: join(folder, 'initrd'), disk: join(folder, 'guest.qcow2') };
}

async function build(kernel: KernelPackage, work: string): Promise<void> {
  const out = join(work, 'out');
  await mkdir(out);
  const guest = guestIn(out);
  const tree = await unpackKernel(kernel, work);
  await copyFile(tree.vmlinuz, guest.kernel);
  await buildInitrd({ source: SOURCE, modules: tree.modules, folder: work, target: guest.ramdisk });
  await buildDisk({ kernel: guest.kernel, ramdisk: guest.ramdisk, folder: work, target: guest.disk });
}

/** The rename is atomic; of two builds at once the slower finds the folder taken by an equal one. */
async function publish(built: string, folder: string): Promise<void> {
  try {
    await rename(built, folder);
  } catch (error) {
    if (!(await exists(folder))) throw error;
  }
}

async function cacheKey(kernel: KernelPackage): Promise<string> {
  const hash = createHash('sha256').update(`${kernel.name} ${kernel.version}\0`);
  for (const name of RECIPE) {
    const path = join(SOURCE, name);
    const files = (await stat(path)).isDirectory() ? await filesBelow(path) : [path];
    for (const file of files) hash.update(`${file.slice(SOURCE.length)}\0`).update(await readFile(file));
  }
  return hash.digest('hex').slice(0, KEY_CHARACTERS);
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function removeAbandoned(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith(WORK_PREFIX)) continue;
    const path = join(cache, name);
    const age_ms = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (age_ms > WORK_AGE_MAX_MS) await rm(path, { recursive: true, force: true });
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

if (import.meta.main) console.log(JSON.stringify(await buildGuest(), null, 2));
