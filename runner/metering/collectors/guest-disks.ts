import type { Sample } from '../../../shared/protocol/messages.ts';
import { diskStats } from '../../compute/disk-stats.ts';
import type { LiveGuest } from '../../compute/live-guest.ts';
import { guestEpoch } from './guest-processes.ts';

/** A monitor that is slower costs its guest's sample. */
const MONITOR_TIMEOUT_MS = 3_000;

/** What a guest has asked of all its disks together, as QEMU counts it. @throws QmpError */
export async function readGuestDisks(bootId: string, live: LiveGuest): Promise<Sample> {
  const disks = await diskStats(live, MONITOR_TIMEOUT_MS);
  const sum = (what: string) => disks.reduce((total, stats) => total + (stats[what] ?? 0), 0);
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
