import type { QosSpec } from '../../../shared/specs/network.ts';
import type { Inventory } from '../inventory.ts';
import type { Names } from '../names.ts';
import { planDscp } from './plan-dscp.ts';
import { joined, type Limiters, planLimits, type QosPlan } from './plan-limiter.ts';

const OVER = 'over_rate';
const way = { type: 'ifname', matches: [''], verdict: `goto ${OVER}` };
const LIMITERS: Limiters = {
  /** After the guard: what a port may not send takes nothing of its rate. */
  egress: { ...way, name: 'egress', hook: 'prerouting', priority: -295, key: 'iifname' },
  /** After the last word on what a tap receives. */
  ingress: { ...way, name: 'ingress', hook: 'postrouting', priority: 210, key: 'oifname' },
};

/** Without these a guest that sends or is sent too much would lose its address and its neighbors, too. None is large. */
const SPARED = [
  'ether type arp meta length <= 128 return',
  'icmpv6 type { 133, 135, 136 } meta length <= 128 return',
  'icmpv6 type 134 meta length <= 576 return',
  'udp sport . udp dport { 68 . 67, 67 . 68, 546 . 547, 547 . 546 } meta length <= 576 return',
];

/**
 * What the bridge table does by the policies of ports. What counts are the bytes of IP, without the frame around them.
 * Nothing where no policy of a port says anything.
 */
export function planPortQos(names: Names, inventory: Inventory): QosPlan {
  const policies = new Map<string, QosSpec>();
  const marks = new Map<string, number>();
  for (const { spec } of inventory.ports.values()) {
    if (!spec.qos) continue;
    const tap = `"${names.tap(spec.id)}"`;
    policies.set(tap, spec.qos);
    if (spec.qos.dscp_mark !== null) marks.set(tap, spec.qos.dscp_mark);
  }
  const limits = planLimits(LIMITERS, policies);
  const over = { hook: null, rules: [...SPARED, 'drop'] };
  const chains = new Map(limits.chains.size > 0 ? [[OVER, over]] : []);
  return joined({ sets: new Map(), chains }, limits, planDscp(marks));
}
