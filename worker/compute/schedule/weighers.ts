import type { Host } from './filters.ts';

/** What is free on a host, in the unit of each weigher. */
const WEIGHERS: readonly ((host: Host) => number)[] = [
  (host) => host.vcpusFree,
  (host) => host.memoryMibFree,
  (host) => host.diskGibFree,
];

/**
 * Weighs hosts by what is free on them, each resource against the host that has most of it; servers spread so.
 * @returns the hosts, best first; equal ones in the order given
 */
export function weigh(hosts: readonly Host[]): Host[] {
  const most = WEIGHERS.map((weigher) => hosts.reduce((max, host) => Math.max(max, weigher(host)), 0));
  const weighed = hosts.map((host) => ({
    host,
    weight: WEIGHERS.reduce((sum, weigher, index) => sum + weigher(host) / (most[index] || 1), 0),
  }));
  return weighed.sort((a, b) => b.weight - a.weight).map(({ host }) => host);
}
