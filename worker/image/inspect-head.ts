import { ApiError } from '../http/errors.ts';
import { type DetectedFormat, detectFormat } from './detect-format.ts';
import type { DiskFormat } from './formats.ts';

/** What the guest sees of a disk: bytes; `same` as the data; null where the first bytes do not say. */
export type VirtualSize = number | 'same' | null;

/** What data may look like under each name. A kernel, a partition or a hybrid ISO are all raw to a hypervisor. */
const ACCEPTED: Record<DiskFormat, readonly DetectedFormat[]> = {
  raw: ['raw', 'iso'],
  ami: ['raw', 'iso'],
  ari: ['raw', 'iso'],
  aki: ['raw', 'iso'],
  iso: ['iso'],
  qcow2: ['qcow2'],
  vmdk: ['vmdk'],
  vdi: ['vdi'],
  vhd: ['vhd'],
  vhdx: ['vhdx'],
  ploop: ['ploop'],
};

const unacceptable = (message: string) => new ApiError(415, message);

/**
 * Checks that data is what its image says, and that opening it cannot reach other files of the machine that does.
 * @param head - the first 64 KiB of the data, or all of it
 * @throws ApiError 415
 */
export function inspectHead(head: Uint8Array, diskFormat: DiskFormat): VirtualSize {
  const detected = detectFormat(head);
  if (!ACCEPTED[diskFormat].includes(detected)) {
    throw unacceptable(
      `Image disk_format ${diskFormat} does not match stream data ${detected}: upload ${diskFormat} data, or create the image with disk_format ${detected}.`,
    );
  }
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  switch (detected) {
    case 'qcow2':
      return inspectQcow2(view);
    case 'vmdk':
      return inspectVmdk(view, head);
    case 'vdi':
      return sizeAt(view, 0x170, true);
    case 'vhd':
      return sizeAt(view, 48, false);
    case 'raw':
    case 'iso':
      return 'same';
    default:
      return null;
  }
}

const QCOW2_HEADER_BYTES = 72;
const QCOW2_V3_HEADER_BYTES = 104;
const CLUSTER_BITS_MIN = 9;
const CLUSTER_BITS_MAX = 21;
const FEATURE_DATA_FILE = 1n << 2n;
/** Dirty, corrupt, external data, compression type, extended L2: what QEMU knows. */
const FEATURES_KNOWN = (1n << 5n) - 1n;
const FLATTEN = 'make a stand-alone copy with `qemu-img convert -O qcow2`.';

function inspectQcow2(view: DataView): number | null {
  if (view.byteLength < QCOW2_HEADER_BYTES) throw unsafe('its qcow2 header is cut off');
  const version = view.getUint32(4);
  if (version > 3) throw unsafe(`it is of qcow2 version ${version}, which is not known`);
  if (view.getBigUint64(8) !== 0n) throw unsafe('it has a backing file');
  const clusterBits = view.getUint32(20);
  if (clusterBits < CLUSTER_BITS_MIN || clusterBits > CLUSTER_BITS_MAX) throw unsafe('its qcow2 header is damaged');
  if (version === 3) {
    if (view.byteLength < QCOW2_V3_HEADER_BYTES) throw unsafe('its qcow2 header is cut off');
    const incompatible = view.getBigUint64(72);
    if ((incompatible & FEATURE_DATA_FILE) !== 0n) throw unsafe('its data lies in an external file');
    if ((incompatible & ~FEATURES_KNOWN) !== 0n) throw unsafe('it uses features that are not known');
  }
  return sizeAt(view, 24, false);
}

/** Of one file only: other kinds name files that hold the data. */
const VMDK_TYPES = new Set(['monolithicSparse', 'streamOptimized']);
const SECTOR_BYTES = 512;
const EXTENT = /^[ \t]*(?:RW|RDONLY|NOACCESS)[ \t]+\d+[ \t]+(\S+)(?:[ \t]+"([^"\n]*)")?/gm;

/** A sparse header whose own descriptor, where QEMU reads it, names this file alone. */
function inspectVmdk(view: DataView, head: Uint8Array): number | null {
  if (view.byteLength < SECTOR_BYTES || view.getUint32(0) !== 0x4b444d56) {
    throw unsafe('it is a VMDK of type unknown, whose data may lie in other files');
  }
  const [sectors, at, length] = [12, 28, 36].map((offset) => view.getBigUint64(offset, true));
  if (!sectors || !at || !length || (at + length) * BigInt(SECTOR_BYTES) > BigInt(view.byteLength)) {
    throw unsafe('its VMDK header is damaged, or its descriptor is not near its beginning');
  }
  const first = Number(at) * SECTOR_BYTES;
  const bytes = head.subarray(first, first + Number(length) * SECTOR_BYTES);
  checkDescriptor(new TextDecoder('latin1').decode(bytes));
  const size = sectors * BigInt(SECTOR_BYTES);
  return size <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(size) : null;
}

function checkDescriptor(descriptor: string): void {
  const [type, ...more] = [...descriptor.matchAll(/createType[ \t]*=[ \t]*"([^"]*)"/gi)].map((match) => match[1] ?? '');
  if (type === undefined || more.length > 0 || !VMDK_TYPES.has(type)) {
    throw unsafe(`it is a VMDK of type ${type?.slice(0, 40) ?? 'unknown'}, whose data may lie in other files`);
  }
  if (/parentFileNameHint/i.test(descriptor)) throw unsafe('it has a backing file');
  const extents = [...descriptor.matchAll(EXTENT)];
  if (extents.length > 1 || extents.some(([, kind, name = '']) => kind !== 'SPARSE' || name.includes('/'))) {
    throw unsafe('its descriptor names other files');
  }
}

const unsafe = (reason: string) => unacceptable(`Image failed safety checks: ${reason}; ${FLATTEN}`);

function sizeAt(view: DataView, at: number, littleEndian: boolean): number | null {
  if (view.byteLength < at + 8) return null;
  const size = view.getBigUint64(at, littleEndian);
  return size <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(size) : null;
}
