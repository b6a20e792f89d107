import type { Sample } from '../../../shared/protocol/messages.ts';
import type { LiveGuest } from '../../compute/live-guest.ts';
import { usageOf } from '../../host/processes.ts';
import { epochOf } from '../epoch-of.ts';

/** What a guest's process has used; its counters began with it. Null when it is gone. */
export async function readGuestProcess(bootId: string, { id, process }: LiveGuest): Promise<Sample | null> {
  const usage = await usageOf(process);
  if (!usage) return null;
  const values = { 'cpu.time': usage.cpuNs, 'memory.usage': usage.residentBytes };
  return { type: 'server', id, epoch: guestEpoch(bootId, process), values };
}

/** A guest's counters are its process's: they begin anew with each. */
export const guestEpoch = (bootId: string, { pid, startTicks }: LiveGuest['process']): string =>
  epochOf(bootId, pid, startTicks);
