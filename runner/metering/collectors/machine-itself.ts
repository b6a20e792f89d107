import type { Sample } from '../../../shared/protocol/messages.ts';
import { machineUsage } from '../../host/facts.ts';
import { epochOf } from '../epoch-of.ts';

/** What the machine itself has used, and of the disk that guests are on. */
export async function readMachine(runnerId: string, bootId: string, stateDir: string): Promise<Sample[]> {
  const usage = await machineUsage(stateDir);
  const values = {
    'host.cpu.time': usage.cpuNs,
    'host.memory.used': usage.memoryBytes,
    'host.disk.used': usage.diskBytes,
  };
  return [{ type: 'runner', id: runnerId, epoch: epochOf(bootId), values }];
}
