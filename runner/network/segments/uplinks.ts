import type { NetworkSpec } from '../../../shared/specs/network.ts';
import type { Names } from '../names.ts';

/** Where this machine is connected to others. */
export interface Uplinks {
  /** Where other machines' VXLAN packets reach it. */
  tunnelAddress: string | null;
  /** Interfaces by the names of the physical networks that they are on. */
  physicalNetworks: Readonly<Record<string, string>>;
}

export const NO_UPLINKS: Uplinks = { tunnelAddress: null, physicalNetworks: {} };

/** The interfaces that can stand between a network's bridge and other machines. */
export function segmentDevices(names: Names, { id, segment }: NetworkSpec, uplinks: Uplinks): string[] {
  if (segment.type === 'local') return [];
  const own = names.segment(id);
  const cable = segment.type === 'flat' ? uplinks.physicalNetworks[segment.physical_network] : undefined;
  return cable === undefined ? [own] : [own, cable];
}
