import type { QosSpec } from '../../../shared/specs/network.ts';
import { canonicalAddress } from '../addresses.ts';
import { IS_TRANSLATED, TO_FLOATING } from '../firewall/plan-router-chains.ts';
import type { Inventory } from '../inventory.ts';
import { floatingIpsOf, portForwardingsOf } from '../routers/floating.ts';
import { type Limiters, planLimits, type QosPlan } from './plan-limiter.ts';

const way = { type: 'ipv4_addr', verdict: 'drop' };
const LIMITERS: Limiters = {
  /** Once it is translated: a tenant's guest that has such an address at home sends nothing that is. */
  egress: {
    ...way,
    name: 'floating_egress',
    hook: 'postrouting',
    priority: 160,
    matches: [`${IS_TRANSLATED} `],
    key: 'ip saddr',
  },
  /** Before it is translated. */
  ingress: {
    ...way,
    name: 'floating_ingress',
    hook: 'prerouting',
    priority: -110,
    matches: TO_FLOATING.map((match) => `${match} `),
    key: 'ip daddr',
  },
};

/**
 * What the inet table does by the policies of floating IPs, on the machine that holds them, whoever is on the other side.
 * Nothing where none has a policy.
 */
export function planFloatingQos(inventory: Inventory): QosPlan {
  const policies = new Map<string, QosSpec>();
  const shared = portForwardingsOf(inventory).filter(({ holder }) => holder);
  for (const { floating_ip_address, qos } of [...floatingIpsOf(inventory), ...shared]) {
    if (qos) policies.set(canonicalAddress(floating_ip_address), qos);
  }
  return planLimits(LIMITERS, policies);
}
