import type { QosSpec } from '../../../shared/specs/network.ts';
import type { Inventory } from '../inventory.ts';
import type { Names } from '../names.ts';
import { planDscp } from './plan-dscp.ts';
import { joined, type Limiters, planLimits, type QosPlan } from './plan-limiter.ts';

const OVER = { egress: 'over_egress', ingress: 'over_ingress' };
const way = { type: 'ifname', matches: [''] };
const LIMITERS: Limiters = {
  /** After the guard: what a port may not send takes nothing of its rate. */
  egress: {
    ...way,
    verdict: `goto ${OVER.egress}`,
    name: 'egress',
    hook: 'prerouting',
    priority: -295,
    key: 'iifname',
  },
  /** After the last word on what a tap receives. */
  ingress: {
    ...way,
    verdict: `goto ${OVER.ingress}`,
    name: 'ingress',
    hook: 'postrouting',
    priority: 210,
    key: 'oifname',
  },
};

/**
 * Without these a guest that sends or is sent too much would lose its address and its neighbors, too. None is large, and of
 * what a guest sends other limits count them.
 */
const SPARED = {
  egress: [
    'ether type arp meta length <= 128 return',
    'icmpv6 type { 133, 135, 136 } meta length <= 128 return',
    'udp sport . udp dport { 68 . 67, 546 . 547 } meta length <= 576 return',
  ],
  ingress: [
    'ether type arp meta length <= 128 return',
    'icmpv6 type { 135, 136 } meta length <= 128 return',
    'icmpv6 type 134 meta length <= 576 return',
    'udp sport . udp dport { 67 . 68, 547 . 546 } meta length <= 576 return',
  ],
};

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
  const chains = new Map(
    limits.chains.size === 0
      ? []
      : (['egress', 'ingress'] as const).map((way) => [OVER[way], { hook: null, rules: [...SPARED[way], 'drop'] }]),
  );
  return joined({ sets: new Map(), chains }, limits, planDscp(marks));
}
