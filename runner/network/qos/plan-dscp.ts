import type { ChainPlan, SetPlan } from '../firewall/ruleset.ts';
import { NO_QOS, type QosPlan } from './plan-limiter.ts';

/** After the limits: what is dropped needs no mark. */
const AFTER_LIMITS = -294;

/** Of the bridge table: what taps send gets their mark (RFC 2474), whatever the guest wrote there. @param marks - by tap, as nft names it */
export function planDscp(marks: ReadonlyMap<string, number>): QosPlan {
  if (marks.size === 0) return NO_QOS;
  const dscp_marks: SetPlan = { type: 'type ifname : verdict', elements: new Map() };
  const chains = new Map<string, ChainPlan>();
  for (const [tap, mark] of marks) {
    dscp_marks.elements.set(tap, `goto dscp-${mark}`);
    chains.set(`dscp-${mark}`, { hook: null, rules: ['ip', 'ip6'].map((version) => `${version} dscp set ${mark}`) });
  }
  chains.set('dscp_marking', {
    hook: `type filter hook prerouting priority ${AFTER_LIMITS}; policy accept;`,
    rules: ['iifname vmap @dscp_marks'],
  });
  return { sets: new Map([['dscp_marks', dscp_marks]]), chains };
}
