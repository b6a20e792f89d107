import type { Sample } from '../../../shared/protocol/messages.ts';
import type { LiveGuest } from '../../compute/live-guest.ts';
import { guestEpoch } from './guest-processes.ts';

/** A monitor that is slower costs its guest's sample. */
const MONITOR_TIMEOUT_MS = 3_000;

interface BlockStats {
  qdev?: string;
  stats: { rd_bytes: number; wr_bytes: number; rd_operations: number; wr_operations: number };
}

/** What a guest has asked of all its disks together, as QEMU counts it. @throws QmpError */
export async function readGuestDisks(bootId: string, live: LiveGuest): Promise<Sample> {
  const blocks = await live.execute<BlockStats[]>('query-blockstats', {}, MONITOR_TIMEOUT_MS);
  // The rest are files that disks stand on.
  const disks = blocks.filter((one) => one.qdev !== undefined);
  const sum = (what: keyof BlockStats['stats']) => disks.reduce((total, { stats }) => total + (stats[what] ?? 0), 0);
  return {
    type: 'server',
    id: live.id,
    epoch: guestEpoch(bootId, live.process),
    values: {
      'disk.read.bytes': sum('rd_bytes'),
      'disk.write.bytes': sum('wr_bytes'),
      'disk.read.requests': sum('rd_operations'),
      'disk.write.requests': sum('wr_operations'),
    },
  };
}
