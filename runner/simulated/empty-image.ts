/** Size of a cluster, and of the parts of the file that are there. */
const CLUSTER_BITS = 16;
const CLUSTER_BYTES = 1 << CLUSTER_BITS;
const VIRTUAL_BYTES = 1024 * 1024;

/** A qcow2 image, stand-alone, of one empty MiB: what a simulated guest has on its disk. */
export function emptyImage(): Blob {
  const file = new DataView(new ArrayBuffer(4 * CLUSTER_BYTES));
  file.setUint32(0, 0x514649fb);
  file.setUint32(4, 2);
  file.setUint32(20, CLUSTER_BITS);
  file.setBigUint64(24, BigInt(VIRTUAL_BYTES));
  // One entry of the first table, in the second cluster; the table of counts is in the third, its one block in the fourth.
  file.setUint32(36, 1);
  file.setBigUint64(40, BigInt(CLUSTER_BYTES));
  file.setBigUint64(48, BigInt(2 * CLUSTER_BYTES));
  file.setUint32(56, 1);
  file.setBigUint64(2 * CLUSTER_BYTES, BigInt(3 * CLUSTER_BYTES));
  for (let cluster = 0; cluster < 4; cluster++) file.setUint16(3 * CLUSTER_BYTES + 2 * cluster, 1);
  return new Blob([file.buffer]);
}
