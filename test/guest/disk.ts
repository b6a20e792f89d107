import { mkdir, open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KERNEL_ARGUMENTS } from './kernel.ts';
import { copySshServer } from './ssh-server.ts';
import { tool } from './tool.ts';

const SECTOR_BYTES = 512;
const MEBIBYTE = 1024 * 1024;

/** Room for the kernel, the initrd and the boot loader. */
const BOOT_MIB = 24;
/** What survives a reboot, and the programs that only few tests run: small, so that the image stays small. */
const DATA_MIB = 16;
const START_MIB = 1;

/** The part of the master boot record before the partition table. */
const BOOT_CODE_BYTES = 440;
const BOOT_CODE = '/usr/lib/syslinux/mbr/mbr.bin';

/** The screen shows the kernel's messages too; the console log is the first serial port. */
const BOOT_ARGUMENTS = `console=tty0 ${KERNEL_ARGUMENTS}`;

/** A disk that boots by BIOS: a FAT partition with syslinux, and an ext4 partition labelled guest-data. */
export async function buildDisk(options: {
  kernel: string;
  ramdisk: string;
  folder: string;
  target: string;
}): Promise<void> {
  const disk = join(options.folder, 'disk.raw');
  await writeFile(disk, '');
  await truncate(disk, (START_MIB + BOOT_MIB + DATA_MIB) * MEBIBYTE);
  const mib = MEBIBYTE / SECTOR_BYTES;
  const partitions = [
    'label: dos',
    `start=${START_MIB * mib},size=${BOOT_MIB * mib},type=6,bootable`,
    `start=${(START_MIB + BOOT_MIB) * mib},size=${DATA_MIB * mib},type=83`,
  ];
  await tool('sfdisk', ['-q', disk], { input: `${partitions.join('\n')}\n` });
  await writeBootCode(disk);
  await fillBootPartition(disk, options);
  await fillDataPartition(disk, options.folder);
  await tool('qemu-img', ['convert', '-c', '-O', 'qcow2', disk, options.target]);
}

async function writeBootCode(disk: string): Promise<void> {
  const from = await open(BOOT_CODE);
  const to = await open(disk, 'r+');
  try {
    const code = Buffer.alloc(BOOT_CODE_BYTES);
    await from.read(code, 0, BOOT_CODE_BYTES, 0);
    await to.write(code, 0, BOOT_CODE_BYTES, 0);
  } finally {
    await Promise.all([from.close(), to.close()]);
  }
}

async function fillBootPartition(
  disk: string,
  options: { kernel: string; ramdisk: string; folder: string },
): Promise<void> {
  const start = (START_MIB * MEBIBYTE) / SECTOR_BYTES;
  const size_kib = String((BOOT_MIB * MEBIBYTE) / 1024);
  await tool('mkfs.fat', ['-F16', '--offset', String(start), '-h', String(start), disk, size_kib]);
  const config = join(options.folder, 'syslinux.cfg');
  await writeFile(
    config,
    `SERIAL 0 115200\nDEFAULT guest\nPROMPT 0\nLABEL guest\n LINUX /vmlinuz\n INITRD /initrd\n APPEND ${BOOT_ARGUMENTS}\n`,
  );
  const image = `${disk}@@${START_MIB}M`;
  await tool('mcopy', ['-i', image, options.kernel, '::/vmlinuz']);
  await tool('mcopy', ['-i', image, options.ramdisk, '::/initrd']);
  await tool('mcopy', ['-i', image, config, '::/syslinux.cfg']);
  await tool('syslinux', ['--offset', String(START_MIB * MEBIBYTE), '-i', disk]);
}

async function fillDataPartition(disk: string, folder: string): Promise<void> {
  const data = join(folder, 'data');
  await mkdir(data);
  await copySshServer(join(data, 'ssh'));
  const offset = (START_MIB + BOOT_MIB) * MEBIBYTE;
  const extended = `offset=${offset},root_owner=0:0`;
  await tool('mke2fs', ['-q', '-t', 'ext4', '-L', 'guest-data', '-d', data, '-E', extended, disk, `${DATA_MIB}M`]);
}
