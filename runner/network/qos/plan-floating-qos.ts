import { canonicalAddress } from '../addresses.ts';
import { IS_TRANSLATED, TO_FLOATING } from '../firewall/plan-router-chains.ts';
import type { Inventory } from '../inventory.ts';
import { floatingIpsOf, portForwardingsOf } from '../routers/floating.ts';
import { joined, type Limiter, planLimiter, type QosPlan } from './plan-limiter.ts';
import { type Rate, rateOf } from './rate.ts';

const way = { type: 'ipv4_addr', verdict: 'drop' };
/** Before it is translated. */
const INGRESS: Limiter = {
  ...way,
  name: 'floating_ingress',
  hook: 'prerouting',
  priority: -110,
  matches: TO_FLOATING.map((match) => `${match} `),
  key: 'ip daddr',
};
/** Once it is translated: a tenant's guest that has such an address at home sends nothing that is. */
const EGRESS: Limiter = {
  ...way,
  name: 'floating_egress',
  hook: 'postrouting',
  priority: 160,
  matches: [`${IS_TRANSLATED} `],
  key: 'ip saddr',
};

/**
 * What the inet table does by the policies of floating IPs, on the machine that holds them, whoever is on the other side.
 * Nothing where none has a policy.
 */
export function planFloatingQos(inventory: Inventory): QosPlan {
  const [egress, ingress] = [new Map<string, Rate>(), new Map<string, Rate>()];
  for (const { floating_ip_address, qos } of heldOf(inventory)) {
    if (!qos) continue;
    const address = canonicalAddress(floating_ip_address);
    const sent = rateOf(qos.egress_kbps, qos.egress_burst_kbits);
    const received = rateOf(qos.ingress_kbps, qos.ingress_burst_kbits);
    if (sent) egress.set(address, sent);
    if (received) ingress.set(address, received);
  }
  return joined(planLimiter(EGRESS, egress), planLimiter(INGRESS, ingress));
}

/** Floating IPs of one guest, and those whose ports are forwarded. */
const heldOf = (inventory: Inventory) => [
  ...floatingIpsOf(inventory),
  ...portForwardingsOf(inventory).filter(({ holder }) => holder),
];
