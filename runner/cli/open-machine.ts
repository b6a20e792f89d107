import { Refusal } from '../../shared/refusal.ts';
import type { RunnerOptions } from '../config.ts';
import type { Machine } from '../driver.ts';
import { errorText } from '../log.ts';
import { openMachine as openQemuMachine } from '../machine.ts';
import { SimulatedMachine } from '../simulated/simulated-machine.ts';
import type { Hypervisor } from '../state/identity.ts';
import { fetchImageFromEdge } from './fetch-image.ts';
import { relayFromEdge } from './open-relay.ts';
import { uploadImageToEdge } from './upload-image.ts';

/** The machine that a runner works on. @throws Refusal where this one lacks what guests need */
export async function openMachine(
  hypervisor: Hypervisor,
  options: RunnerOptions & {
    bootId: string;
    bootDelayMs: number;
    adminShell: boolean;
    moveAddress?: string;
    tunnelAddress?: string;
    physicalNetworks: Record<string, string>;
  },
): Promise<Machine> {
  if (hypervisor === 'simulated')
    return new SimulatedMachine({
      ...options,
      physicalNetworks: Object.keys(options.physicalNetworks),
      uploadImage: uploadImageToEdge(options),
    });
  try {
    return await openQemuMachine({
      ...options,
      fetchImage: fetchImageFromEdge(options),
      uploadImage: uploadImageToEdge(options),
      openRelay: relayFromEdge(options),
    });
  } catch (error) {
    throw new Refusal(`This machine cannot hold guests: ${errorText(error)}`);
  }
}
