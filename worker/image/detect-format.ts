/** What data looks like, by its first bytes. `raw`: nothing that is known. */
export type DetectedFormat = 'qcow' | 'qcow2' | 'vmdk' | 'vdi' | 'vhd' | 'vhdx' | 'qed' | 'ploop' | 'iso' | 'raw';

interface Signature {
  format: DetectedFormat;
  at: number;
  bytes: readonly number[];
}

const ascii = (text: string) => [...text].map((character) => character.charCodeAt(0));

/** In the order in which they decide: what may follow a boot sector of any kind comes last. */
const SIGNATURES: readonly Signature[] = [
  { format: 'qcow2', at: 0, bytes: [...ascii('QFI'), 0xfb] },
  { format: 'vmdk', at: 0, bytes: ascii('KDMV') },
  { format: 'vmdk', at: 0, bytes: ascii('COWD') },
  { format: 'vmdk', at: 0, bytes: ascii('# Disk DescriptorFile') },
  { format: 'vhd', at: 0, bytes: ascii('conectix') },
  { format: 'vhdx', at: 0, bytes: ascii('vhdxfile') },
  { format: 'qed', at: 0, bytes: [...ascii('QED'), 0] },
  { format: 'ploop', at: 0, bytes: ascii('WithoutFreeSpace') },
  { format: 'ploop', at: 0, bytes: ascii('WithouFreSpacExt') },
  { format: 'vdi', at: 0x40, bytes: [0x7f, 0x10, 0xda, 0xbe] },
  { format: 'iso', at: 0x8001, bytes: ascii('CD001') },
];
const QCOW2_VERSION_MIN = 2;

/** Names the format of data. @param head - its first 64 KiB, or all of it */
export function detectFormat(head: Uint8Array): DetectedFormat {
  const found = SIGNATURES.find(({ at, bytes }) => bytes.every((byte, index) => head[at + index] === byte));
  if (found?.format !== 'qcow2') return found?.format ?? 'raw';
  return (head[7] ?? 0) < QCOW2_VERSION_MIN ? 'qcow' : 'qcow2';
}
