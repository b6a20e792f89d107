import { execFileSync } from 'node:child_process';
import { mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { DiskFormat } from './formats.ts';
import { inspectHead } from './inspect-head.ts';
import { HEAD_BYTES } from './limits.ts';

const folder = mkdtempSync(join(tmpdir(), 'aerostat-formats-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const SIZE_BYTES = 64 * 1024 * 1024;
let count = 0;

/** A disk that QEMU made, to lie behind another one. */
function made(format: string): string {
  const file = join(folder, `behind.${format}`);
  execFileSync('/usr/bin/qemu-img', ['create', '-q', '-f', format, file, String(SIZE_BYTES)]);
  return file;
}

/** The first bytes of a disk that QEMU made. */
function made64MiB(format: string, options: string[] = []): Uint8Array {
  count += 1;
  const file = join(folder, `disk-${count}`);
  execFileSync('/usr/bin/qemu-img', ['create', '-q', '-f', format, ...options, file, String(SIZE_BYTES)]);
  const head = new Uint8Array(HEAD_BYTES);
  const read = readSync(openSync(file, 'r'), head, 0, HEAD_BYTES, 0);
  return head.subarray(0, read);
}

describe('disks as QEMU makes them', () => {
  it.each([
    ['qcow2', 'qcow2', []],
    ['qcow2', 'qcow2', ['-o', 'compat=0.10']],
    ['qcow2', 'qcow2', ['-o', 'extended_l2=on']],
    ['qcow2', 'qcow2', ['-o', 'compression_type=zstd,lazy_refcounts=on']],
    ['vdi', 'vdi', []],
    ['vmdk', 'vmdk', ['-o', 'subformat=monolithicSparse']],
    ['vmdk', 'vmdk', ['-o', 'subformat=streamOptimized']],
    ['vpc', 'vhd', ['-o', 'subformat=dynamic,force_size=on']],
  ] as [string, DiskFormat, string[]][])('%s is accepted as %s (%j) with its size', (format, name, options) => {
    expect(inspectHead(made64MiB(format, options), name)).toBe(SIZE_BYTES);
  });

  it('without a size in its first bytes is accepted all the same', () => {
    expect(inspectHead(made64MiB('vhdx'), 'vhdx')).toBeNull();
    expect(inspectHead(made64MiB('raw'), 'raw')).toBe('same');
  });

  it('is refused when it names another file', () => {
    execFileSync('/usr/bin/qemu-img', ['create', '-q', '-f', 'qcow2', join(folder, 'base'), String(SIZE_BYTES)]);
    const refused = expect.objectContaining({ status: 415 });
    for (const [format, name, options] of [
      ['qcow2', 'qcow2', ['-b', 'base', '-F', 'qcow2']],
      ['qcow2', 'qcow2', ['-b', '/etc/passwd', '-F', 'raw', '-u']],
      ['qcow2', 'qcow2', ['-o', `data_file=${join(folder, 'data')}`]],
      ['vmdk', 'vmdk', ['-o', 'subformat=monolithicFlat']],
      ['vmdk', 'vmdk', ['-o', 'subformat=twoGbMaxExtentFlat']],
      ['vmdk', 'vmdk', ['-b', made('vmdk'), '-F', 'vmdk']],
    ] as [string, DiskFormat, string[]][]) {
      expect(() => inspectHead(made64MiB(format, options), name), options.join(' ')).toThrow(refused);
    }
  });

  it.each(['qcow2', 'qcow', 'qed', 'vdi', 'vmdk', 'vpc', 'vhdx', 'parallels'])('of format %s is not raw', (format) => {
    expect(() => inspectHead(made64MiB(format), 'raw')).toThrow(expect.objectContaining({ status: 415 }));
  });
});
