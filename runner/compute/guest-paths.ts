import { join } from 'node:path';

/** A guest's files. QEMU runs in `folder` and names them relative to it, for it cannot enter the folders above. */
export interface GuestPaths {
  folder: string;
  record: string;
  lock: string;
  /** What QEMU said before it had a monitor. */
  qemuLog: string;
  /** What the guest told of its password. */
  password: string;
  base: string;
  kernel: string;
  ramdisk: string;
  disk: string;
  rescueBase: string;
  rescueKernel: string;
  rescueRamdisk: string;
  /** What a rescued guest runs from; thrown away after. */
  rescueDisk: string;
  /** A copy of the disk on its way to the image store. */
  snapshot: string;
  /** The disk as it was before the server's size changed. */
  oldDisk: string;
  /** Keys of a move, for QEMU to read. */
  moveKeys: string;
  configDrive: string;
  console: string;
  /** Sockets that QEMU makes. */
  sockets: string;
  monitor: string;
  /** A second monitor, for whoever looks after the machine: a monitor serves one at a time. */
  spareMonitor: string;
  consoleSocket: string;
  /** Where the guest's screen is seen, by the protocol of VNC (RFC 6143). */
  screen: string;
  adminShell: string;
}

/** Names within a guest's folder, as they stand on QEMU's command line. */
export const NAMES = {
  base: 'base',
  kernel: 'kernel',
  ramdisk: 'ramdisk',
  disk: 'disk.qcow2',
  rescueBase: 'rescue-base',
  rescueKernel: 'rescue-kernel',
  rescueRamdisk: 'rescue-ramdisk',
  rescueDisk: 'rescue.qcow2',
  snapshot: 'snapshot.qcow2',
  oldDisk: 'disk.old.qcow2',
  moveKeys: 'move-keys',
  configDrive: 'config.iso',
  console: 'console.log',
  sockets: 'run',
  monitor: 'run/monitor',
  spareMonitor: 'run/monitor2',
  consoleSocket: 'run/ttyS0',
  screen: 'run/vnc',
  adminShell: 'run/ttyS1',
} as const;

/** Where a guest's files are. @throws when the id could leave the folder */
export function guestPaths(stateDir: string, id: string): GuestPaths {
  if (!/^[0-9a-f-]{36}$/.test(id)) throw new Error(`not a guest's id: ${id}`);
  const folder = join(guestsFolder(stateDir), id);
  const named = Object.fromEntries(Object.entries(NAMES).map(([key, name]) => [key, join(folder, name)]));
  return {
    ...(named as Record<keyof typeof NAMES, string>),
    folder,
    record: join(folder, 'guest.json'),
    lock: join(folder, 'lock'),
    qemuLog: join(folder, 'qemu.log'),
    password: join(folder, 'password.json'),
  };
}

export function guestsFolder(stateDir: string): string {
  return join(stateDir, 'guests');
}
