import { createHash } from 'node:crypto';
import type { SpecOf } from '../../../shared/specs/kinds.ts';
import type { PortSpec } from '../../../shared/specs/network.ts';
import { canonicalCidr } from '../addresses.ts';
import { mergeRanges } from '../firewall/plan-group-matches.ts';
import type { ChainPlan, SetPlan } from '../firewall/ruleset.ts';
import type { Inventory } from '../inventory.ts';
import { covers, type Range, rangeOf } from './ranges.ts';

type Exception = SpecOf<'intranet-exception'>;

const ANY_PROTOCOL = '0-255';
const ANY_PORT = '0-65535';

/** Chains that let go what exceptions allow, and which of them each port has, by port; ports with the same share one. */
export interface Leaves {
  chains: Map<string, ChainPlan>;
  sets: Map<string, SetPlan>;
  chainOf: Map<string, string>;
}

/** Whether an exception holds at a time: the machine itself ends it. */
export const holdsAt = ({ expires_at_ms: end }: Exception, nowMs: number): boolean => end === null || end > nowMs;

/** Plans what the ports of this machine may reach all the same. */
export function planLeaves(inventory: Inventory, nowMs: number): Leaves {
  const bySource = new Map<string, Exception[]>();
  for (const { spec } of inventory.all('intranet-exception').values()) {
    if (!holdsAt(spec, nowMs)) continue;
    const key = `${spec.source.type}:${spec.source.id}`;
    bySource.set(key, [...(bySource.get(key) ?? []), spec]);
  }
  const leaves: Leaves = { chains: new Map(), sets: new Map(), chainOf: new Map() };
  for (const { spec } of inventory.ports.values()) {
    const sources = sourcesOf(spec).filter((source) => bySource.has(source));
    if (sources.length === 0) continue;
    const name = `leave-${createHash('sha256').update(sources.sort().join(',')).digest('hex').slice(0, 16)}`;
    leaves.chainOf.set(spec.id, name);
    if (leaves.chains.has(name)) continue;
    const sets = planSets(sources.flatMap((source) => bySource.get(source) ?? []));
    for (const [part, set] of sets) leaves.sets.set(`${name}-${part}`, set);
    const rules = [...sets.keys()].map((part) => {
      const field = part.startsWith('4') ? 'ip' : 'ip6';
      return `${field} daddr . meta l4proto . th dport @${name}-${part} accept`;
    });
    leaves.chains.set(name, { hook: null, rules });
  }
  return leaves;
}

const sourcesOf = (port: PortSpec): string[] => [
  `project:${port.project_id}`,
  `network:${port.network_id}`,
  ...port.security_groups.map((id) => `security_group:${id}`),
  ...(port.server_id === null ? [] : [`server:${port.server_id}`]),
  `port:${port.id}`,
];

/**
 * Sets by version and depth, as `4-0`. Elements of one set must not overlap, while destinations may lie within each
 * other: each goes by how many others it lies within. So a packet costs a look-up for each depth, not for each exception.
 */
function planSets(exceptions: Exception[]): Map<string, SetPlan> {
  const byDestination = new Map<string, Exception[]>();
  for (const exception of exceptions) {
    const destination = canonicalCidr(exception.destination);
    byDestination.set(destination, [...(byDestination.get(destination) ?? []), exception]);
  }
  const sorted = [...byDestination.keys()]
    .map((text) => ({ text, range: rangeOf(text) }))
    .sort(
      ({ range: a }, { range: b }) => a.version - b.version || compare(a.first, b.first) || compare(b.last, a.last),
    );
  const sets = new Map<string, SetPlan>();
  const around: Range[] = [];
  for (const { text, range } of sorted) {
    while (around.length > 0 && !covers(around.at(-1) as Range, range)) around.pop();
    const name = `${range.version}-${around.length}`;
    around.push(range);
    const type = `type ipv${range.version}_addr . inet_proto . inet_service; flags interval`;
    const set = sets.get(name) ?? { type, elements: new Map() };
    sets.set(name, set);
    for (const what of elementsOf(byDestination.get(text) ?? [])) set.elements.set(`${text} . ${what}`, '');
  }
  return sets;
}

const compare = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);

/** Protocols and ports that the exceptions of one destination allow together, none twice. */
function elementsOf(exceptions: Exception[]): string[] {
  if (exceptions.some(({ protocol }) => protocol === null)) return [`${ANY_PROTOCOL} . ${ANY_PORT}`];
  const ports = new Map<number, [number, number][]>();
  for (const { protocol, port_range_min: low, port_range_max: high } of exceptions) {
    const range: [number, number] = low === null || high === null ? [0, 65_535] : [low, high];
    ports.set(protocol ?? 0, [...(ports.get(protocol ?? 0) ?? []), range]);
  }
  return [...ports].flatMap(([protocol, ranges]) => mergeRanges(ranges).map((range) => `${protocol} . ${range}`));
}
