import type { Host, Need } from './filters.ts';

/** What is free on a host, in the unit of each weigher. */
const WEIGHERS: readonly ((host: Host) => number)[] = [
  (host) => host.vcpusFree,
  (host) => host.memoryMibFree,
  (host) => host.diskGibFree,
];
/** A soft policy of a server group counts for more than all that is free. */
const GROUP_WEIGHT = WEIGHERS.length + 1;

/** How well a host suits a group with a soft policy, 0 to 1 either way. */
function groupWeight(host: Host, { group }: Pick<Need, 'group'>): number {
  if (group?.policy !== 'soft-affinity' && group?.policy !== 'soft-anti-affinity') return 0;
  const most = Math.max(1, ...group.hosts.values());
  const share = (group.hosts.get(host.id) ?? 0) / most;
  return group.policy === 'soft-affinity' ? share : -share;
}

/**
 * Weighs hosts by what is free on them, each resource against the host that has most of it; servers spread so. Those of a
 * group with a soft policy come together, or keep apart, first.
 * @returns the hosts, best first; equal ones in the order given
 */
export function weigh(hosts: readonly Host[], need: Pick<Need, 'group'>): Host[] {
  const most = WEIGHERS.map((weigher) => hosts.reduce((max, host) => Math.max(max, weigher(host)), 0));
  const weighed = hosts.map((host) => ({
    host,
    weight:
      GROUP_WEIGHT * groupWeight(host, need) +
      WEIGHERS.reduce((sum, weigher, index) => sum + weigher(host) / (most[index] || 1), 0),
  }));
  return weighed.sort((a, b) => b.weight - a.weight).map(({ host }) => host);
}
