import { chmod, copyFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { tool } from './tool.ts';

const PT_INTERP = 3;

/**
 * In the order they load. A config drive may sit behind virtio-blk, virtio-scsi or, on a pc machine, IDE;
 * the release's kernel has no driver for q35's own SATA.
 */
const MODULES = [
  'virtio_pci',
  'virtio_net',
  'virtio_blk',
  'button',
  'evdev',
  'virtio_balloon',
  'virtio-rng',
  'isofs',
  'virtio_scsi',
  'sd_mod',
  'sr_mod',
  'ata_piix',
];

/** Packs busybox, the modules and the guest's scripts into an initrd at `target`; works below `folder`. */
export async function buildInitrd(options: {
  source: string;
  modules: string;
  folder: string;
  target: string;
}): Promise<void> {
  const root = join(options.folder, 'root');
  await cp(join(options.source, 'rootfs'), root, { recursive: true });
  await mkdir(join(root, 'bin'));
  await copyFile(join(options.source, 'init'), join(root, 'init'));
  await copyStaticBusybox(join(root, 'bin', 'busybox'));
  await copyModules(MODULES, options.modules, join(root, 'lib', 'modules'));

  const files = await tool('find', ['.', '-mindepth', '1'], { cwd: root });
  const archive = join(options.folder, 'initrd.cpio');
  await tool('cpio', ['-o', '-H', 'newc', '--quiet', '-R', '0:0', '-O', archive], { cwd: root, input: files });
  await tool('zstd', ['-q', '-19', archive, '-o', options.target]);
}

export async function copyStaticBusybox(target: string): Promise<void> {
  const busybox = await readFile('/bin/busybox');
  if (needsInterpreter(busybox)) throw new Error('/bin/busybox needs libraries: install busybox-static');
  await writeFile(target, busybox);
  await chmod(target, 0o755);
}

/** Whether a 64-bit ELF program has a PT_INTERP header, as every dynamically linked one has. */
function needsInterpreter(elf: Buffer): boolean {
  const start = Number(elf.readBigUInt64LE(0x20));
  const size = elf.readUInt16LE(0x36);
  const count = elf.readUInt16LE(0x38);
  const types = Array.from({ length: count }, (_, index) => elf.readUInt32LE(start + index * size));
  return types.includes(PT_INTERP);
}

/** Copies modules and what they need, and writes the order in which they load. Those that are not there are built in. */
export async function copyModules(modules: readonly string[], from: string, to: string): Promise<void> {
  await mkdir(to);
  const needs = new Map<string, string[]>();
  for (const line of (await readFile(join(from, 'modules.dep'), 'utf8')).split('\n')) {
    const [file, ...needed] = line.split(/:? +|:$/).filter((word) => word !== '');
    if (file !== undefined) needs.set(file, needed);
  }
  const files = new Set<string>();
  for (const module of modules) {
    // Not found: this kernel has it built in.
    const file = [...needs.keys()].find((path) => basename(path).split('.')[0] === module);
    if (file === undefined) continue;
    // modules.dep names what is needed last first.
    for (const path of (needs.get(file) ?? []).toReversed()) files.add(path);
    files.add(file);
  }
  const names = await Promise.all([...files].map((file) => copyModule(join(from, file), to)));
  await writeFile(join(to, 'order'), names.map((name) => `${name}\n`).join(''));
}

/** Uncompressed, for the initrd is packed as a whole; answers the file's name. */
async function copyModule(file: string, folder: string): Promise<string> {
  const copy = join(folder, basename(file));
  await copyFile(file, copy);
  if (copy.endsWith('.xz')) await tool('busybox', ['unxz', copy]);
  return basename(file, '.xz');
}
