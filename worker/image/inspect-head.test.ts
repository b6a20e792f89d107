import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../http/errors.ts';
import { DISK_FORMATS } from './formats.ts';
import { inspectHead } from './inspect-head.ts';
import { HEAD_BYTES } from './limits.ts';

interface Qcow2 {
  version?: number;
  backingOffset?: bigint;
  clusterBits?: number;
  sizeBytes?: bigint;
  incompatible?: bigint;
  bytes?: number;
}

/** A qcow2 header as QEMU writes it, with what the test changes. */
function qcow2(of: Qcow2 = {}): Uint8Array {
  const head = new Uint8Array(of.bytes ?? 512);
  const view = new DataView(new ArrayBuffer(512));
  view.setUint32(0, 0x514649fb);
  view.setUint32(4, of.version ?? 3);
  view.setBigUint64(8, of.backingOffset ?? 0n);
  view.setUint32(20, of.clusterBits ?? 16);
  view.setBigUint64(24, of.sizeBytes ?? 1n << 30n);
  view.setBigUint64(72, of.incompatible ?? 0n);
  head.set(new Uint8Array(view.buffer).subarray(0, head.byteLength));
  return head;
}

function text(content: string, at = 0): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES);
  head.set(new TextEncoder().encode(content), at);
  return head;
}

/** A sparse VMDK: magic, capacity in sectors, and its descriptor further on. */
function vmdk(type: string, of: { more?: string; capacity?: bigint; at?: bigint; length?: bigint } = {}): Uint8Array {
  const { more = 'RW 2048 SPARSE "disk.vmdk"', capacity = 2048n, at = 1n, length = 20n } = of;
  const head = text(`# Disk DescriptorFile\ncreateType="${type}"\n${more}\n`, 512);
  head.set(new TextEncoder().encode('KDMV'));
  const view = new DataView(head.buffer);
  for (const [offset, value] of [
    [12, capacity],
    [28, at],
    [36, length],
  ] as const)
    view.setBigUint64(offset, value, true);
  return head;
}

function vdi(): Uint8Array {
  const head = text('<<< Oracle VM VirtualBox Disk Image >>>');
  head.set([0x7f, 0x10, 0xda, 0xbe], 0x40);
  new DataView(head.buffer).setBigUint64(0x170, 4096n, true);
  return head;
}

const iso = () => text('CD001', 0x8001);
const refusal = expect.objectContaining({ status: 415 });

describe('inspectHead', () => {
  it('reads the virtual size of what it knows', () => {
    expect(inspectHead(qcow2(), 'qcow2')).toBe(1 << 30);
    expect(inspectHead(qcow2({ version: 2, bytes: 72 }), 'qcow2')).toBe(1 << 30);
    expect(inspectHead(qcow2({ incompatible: 0b11011n }), 'qcow2')).toBe(1 << 30);
    expect(inspectHead(vdi(), 'vdi')).toBe(4096);
    expect(inspectHead(vmdk('streamOptimized'), 'vmdk')).toBe(2048 * 512);
    expect(inspectHead(text('vhdxfile'), 'vhdx')).toBeNull();
    expect(inspectHead(text('anything'), 'raw')).toBe('same');
    expect(inspectHead(new Uint8Array(0), 'raw')).toBe('same');
    expect(inspectHead(iso(), 'iso')).toBe('same');
    expect(inspectHead(iso(), 'raw')).toBe('same');
  });

  it('reads a head that lies inside a larger buffer', () => {
    const buffer = new Uint8Array(600);
    buffer.set(qcow2(), 50);
    expect(inspectHead(buffer.subarray(50, 562), 'qcow2')).toBe(1 << 30);
  });

  it.each([
    ['a backing file', { backingOffset: 104n }],
    ['an external data file', { incompatible: 0b100n }],
    ['features nobody knows', { incompatible: 1n << 40n }],
    ['a version nobody knows', { version: 4 }],
    ['clusters of no size', { clusterBits: 40 }],
    ['a header that is cut off', { bytes: 60 }],
    ['a header of version 3 that is cut off', { bytes: 80 }],
  ])('refuses a qcow2 with %s', (_what, of) => {
    expect(() => inspectHead(qcow2(of), 'qcow2')).toThrow(refusal);
  });

  it.each(['monolithicFlat', 'twoGbMaxExtentSparse', 'custom'])('refuses a VMDK of type %s', (type) => {
    expect(() => inspectHead(vmdk(type), 'vmdk')).toThrow(refusal);
  });

  it.each([
    ['a backing file', { more: 'parentFileNameHint="/etc/passwd"' }],
    ['an extent elsewhere', { more: 'RW 2048 SPARSE "/etc/passwd"' }],
    ['an extent that is another file as it is', { more: 'RW 2048 FLAT "disk-flat.vmdk" 0' }],
    ['two extents', { more: 'RW 1 SPARSE "a"\nRW 1 SPARSE "b"' }],
    ['two types', { more: 'createType="monolithicFlat"' }],
    // QEMU takes the descriptor for all there is.
    ['no capacity of its own', { capacity: 0n }],
    ['no descriptor', { at: 0n }],
    ['a descriptor of no length', { length: 0n }],
    ['a descriptor out of sight', { at: 1n << 40n }],
    ['another descriptor than the first one', { at: 100n, length: 1n }],
  ])('refuses a VMDK with %s', (_what, of) => {
    expect(() => inspectHead(vmdk('monolithicSparse', of), 'vmdk')).toThrow(refusal);
  });

  it('refuses a VMDK that is only a descriptor', () => {
    const descriptor = text('# Disk DescriptorFile\ncreateType="monolithicSparse"\nRW 1 FLAT "/etc/passwd" 0\n');
    expect(() => inspectHead(descriptor, 'vmdk')).toThrow(refusal);
  });

  it.each([
    ['qcow2', qcow2()],
    ['qcow', qcow2({ version: 1 })],
    ['vmdk', vmdk('monolithicSparse')],
    ['vmdk', text('# Disk DescriptorFile')],
    ['vdi', vdi()],
    ['vhd', text('conectix')],
    ['vhdx', text('vhdxfile')],
    ['qed', text('QED\0')],
    ['ploop', text('WithoutFreeSpace')],
  ])('refuses %s data that is called something else', (format, head) => {
    for (const claimed of DISK_FORMATS.filter((one) => one !== format)) {
      expect(() => inspectHead(head, claimed)).toThrow(refusal);
    }
  });

  it('never fails in another way, whatever comes', () => {
    const magic = fc.constantFrom('QFI\xfb\0\0\0\x03', 'KDMV', 'conectix', '');
    fc.assert(
      fc.property(
        magic,
        fc.uint8Array({ maxLength: 2048 }),
        fc.constantFrom(...DISK_FORMATS),
        (start, rest, claimed) => {
          const head = new Uint8Array([...[...start].map((character) => character.charCodeAt(0)), ...rest]);
          try {
            const size = inspectHead(head, claimed);
            expect(size === null || size === 'same' || Number.isSafeInteger(size)).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(ApiError);
          }
        },
      ),
    );
  });
});
