import type { Random } from '../../network/ipam/random.ts';
import { FILTERS, type Host, type Need } from './filters.ts';
import { weigh } from './weighers.ts';

export type Picked = { host: Host } | { refusal: string };

/**
 * Picks the host for a server.
 * @param of.attempt - how often this server has already lost a race: each time the choice doubles, so that many creates
 *   that race for the last places do not all run to the same host
 * @returns the host, or what each filter refused, as the fault tells it
 */
export function pickHost(
  hosts: readonly Host[],
  need: Need,
  of: { nowMs: number; attempt: number; random: Random },
): Picked {
  const refused = new Map<string, number>();
  const fit = hosts.filter((host) => {
    const filter = FILTERS.find((one) => !one.passes(host, need, of.nowMs));
    if (!filter) return true;
    const reason = filter.refused(need, host);
    refused.set(reason, (refused.get(reason) ?? 0) + 1);
    return false;
  });
  if (fit.length === 0) return { refusal: refusalText(hosts.length, refused) };
  const choice = Math.min(fit.length, 2 ** of.attempt);
  const host = weigh(fit, need)[of.random.below(choice)];
  if (!host) throw new Error('the random number is outside its range');
  return { host };
}

function refusalText(total: number, refused: ReadonlyMap<string, number>): string {
  if (total === 0) return 'No valid host was found. No host has joined this region yet.';
  const reasons = [...refused].map(([reason, count]) => `${count} ${reason}`).join(', ');
  return `No valid host was found. ${total} ${total === 1 ? 'host' : 'hosts'}: ${reasons}.`;
}
