import type { PlacedGroup } from '../server-groups/placement.ts';
import type { Demand, HostTraits } from './demands.ts';

/** A machine as the scheduler sees it. */
export interface Host extends HostTraits {
  name: string;
  zone: string;
  state: 'enabled' | 'draining' | 'disabled' | 'removed';
  connected: boolean;
  leaseExpiresAtMs: number | null;
  /** What may still be handed out; below zero where the operator lowered what is allocatable. */
  vcpusFree: number;
  memoryMibFree: number;
  diskGibFree: number;
}

/** What a server needs of its host. */
export interface Need {
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  /** The zone, or null for any. */
  zone: string | null;
  /** The one host by name, or null for any. */
  host: string | null;
  /** Ids of hosts that alone are good; null for any. */
  within: ReadonlySet<string> | null;
  /** Ids of hosts that are not good. */
  without: ReadonlySet<string>;
  /** The server group that it is in, or null. */
  group: PlacedGroup | null;
  /** What its flavor, its image and its networks ask of a host. */
  demands: readonly Demand[];
}

export interface Filter {
  passes(host: Host, need: Need, nowMs: number): boolean;
  /** What a refused host is, in the words of the fault. */
  refused(need: Need, host: Host): string;
}

const alive = (host: Host, nowMs: number) => host.connected && (host.leaseExpiresAtMs ?? 0) > nowMs;

/** Whether a group's policy lets a host have one more of its servers; the soft policies only weigh. */
function agrees(host: Host, group: PlacedGroup | null): boolean {
  if (group?.policy === 'affinity') return [...group.hosts.keys()].every((id) => id === host.id);
  if (group?.policy === 'anti-affinity') return (group.hosts.get(host.id) ?? 0) < group.perHostMax;
  return true;
}

/** What a host must pass, in this order: a refused host is counted by the first that refuses it. */
export const FILTERS: readonly Filter[] = [
  { passes: (host, need) => need.host === null || host.name === need.host, refused: (need) => `not ${need.host}` },
  {
    passes: (host, need) => need.zone === null || host.zone === need.zone,
    refused: (need) => `not in zone ${need.zone}`,
  },
  { passes: (host) => host.state === 'enabled', refused: () => 'disabled' },
  { passes: (host, _need, nowMs) => alive(host, nowMs), refused: () => 'not connected' },
  {
    passes: (host, need) => (need.within?.has(host.id) ?? true) && !need.without.has(host.id),
    refused: () => 'against the scheduler hints',
  },
  {
    passes: (host, need) => agrees(host, need.group),
    refused: (need) => `against the policy ${need.group?.policy} of the server group`,
  },
  {
    passes: (host, need) => need.demands.every((demand) => demand.holds(host)),
    refused: (need, host) => need.demands.find((demand) => !demand.holds(host))?.refused ?? '',
  },
  { passes: (host, need) => host.vcpusFree >= need.vcpus, refused: (need) => `too few vCPUs (need ${need.vcpus})` },
  {
    passes: (host, need) => host.memoryMibFree >= need.memoryMib,
    refused: (need) => `too little memory (need ${need.memoryMib} MiB)`,
  },
  {
    passes: (host, need) => host.diskGibFree >= need.diskGib,
    refused: (need) => `too little disk (need ${need.diskGib} GiB)`,
  },
];
