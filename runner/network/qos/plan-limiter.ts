import type { QosSpec } from '../../../shared/specs/network.ts';
import type { ChainPlan, SetPlan, TablePlan } from '../firewall/ruleset.ts';
import { type Rate, rateOf } from './rate.ts';

export type QosPlan = Pick<TablePlan, 'sets' | 'chains'>;
export const NO_QOS: QosPlan = { sets: new Map(), chains: new Map() };

/** Where packets pass, and by what those are told apart that each have a rate. */
export interface Limiter {
  /** Begins the names of what belongs to it. */
  name: string;
  hook: 'prerouting' | 'postrouting';
  priority: number;
  /** Which packets are looked at, any of these; each ends with a blank, if it is not empty. */
  matches: string[];
  /** Part of a packet, and its type: `iifname` of type `ifname`. */
  key: string;
  type: string;
  /** What becomes of a packet that is too much. */
  verdict: string;
}

/** Where what is sent passes, and what is received. */
export type Limiters = Record<'egress' | 'ingress', Limiter>;

/** Holds to their policies what packets are told apart by. Nothing where nobody is limited. */
export function planLimits(limiters: Limiters, policies: ReadonlyMap<string, QosSpec>): QosPlan {
  const rates = { egress: new Map<string, Rate>(), ingress: new Map<string, Rate>() };
  for (const [element, qos] of policies) {
    const sent = rateOf(qos.egress_kbps, qos.egress_burst_kbits);
    const received = rateOf(qos.ingress_kbps, qos.ingress_burst_kbits);
    if (sent) rates.egress.set(element, sent);
    if (received) rates.ingress.set(element, received);
  }
  return joined(planLimiter(limiters.egress, rates.egress), planLimiter(limiters.ingress, rates.ingress));
}

/**
 * Those of one rate are in a set that keeps a bucket for each of them, and share the chain that looks there; a map leads to
 * it. Both are named by the rate, so that another rate begins with another bucket.
 */
function planLimiter(limiter: Limiter, limited: ReadonlyMap<string, Rate>): QosPlan {
  if (limited.size === 0) return NO_QOS;
  const { name, hook, priority, matches, key, type, verdict } = limiter;
  const rates: SetPlan = { type: `type ${type} : verdict`, elements: new Map() };
  const sets = new Map([[`${name}_rates`, rates]]);
  const chains = new Map<string, ChainPlan>();
  for (const [element, { bytesPerSecond, burstBytes }] of limited) {
    const own = `${name}-${bytesPerSecond}-${burstBytes}`;
    const limit = `limit rate over ${bytesPerSecond} bytes/second burst ${burstBytes} bytes`;
    const set = sets.get(own) ?? { type: `type ${type}; ${limit}`, elements: new Map() };
    sets.set(own, set);
    set.elements.set(element, '');
    rates.elements.set(element, `goto ${own}`);
    chains.set(own, { hook: null, rules: [`${key} @${own} ${verdict}`] });
  }
  chains.set(`${name}_limit`, {
    hook: `type filter hook ${hook} priority ${priority}; policy accept;`,
    rules: matches.map((match) => `${match}${key} vmap @${name}_rates`),
  });
  return { sets, chains };
}

/** Plans of one table as one. */
export const joined = (...plans: QosPlan[]): QosPlan => ({
  sets: new Map(plans.flatMap(({ sets }) => [...sets])),
  chains: new Map(plans.flatMap(({ chains }) => [...chains])),
});
