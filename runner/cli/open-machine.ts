import type { RunnerOptions } from '../config.ts';
import type { Machine } from '../driver.ts';
import { SimulatedMachine } from '../simulated/simulated-machine.ts';
import type { Hypervisor } from '../state/identity.ts';
import { Refusal } from '../state/refusal.ts';

/** The machine that a runner works on. */
export async function openMachine(
  hypervisor: Hypervisor,
  options: RunnerOptions & { bootId: string; bootDelayMs: number },
): Promise<Machine> {
  if (hypervisor === 'simulated') return new SimulatedMachine(options);
  throw new Refusal('qemu is not there');
}
