import type { SetPlan, TablePlan } from '../firewall/ruleset.ts';
import type { Inventory } from '../inventory.ts';
import type { Names } from '../names.ts';
import { isWired } from './plan-inside.ts';

/** After the bridge table has told whose frame it is. */
const AFTER_GUARD = -290;

/**
 * Frames that are neither IP nor ARP pass no rules for IP, so that a guest without port security could wrap what it sends in
 * a VLAN tag. Where a network has a cable they stay off it; others are guests' own affair.
 */
export function planCableTable(names: Names, inventory: Inventory): TablePlan {
  const wired: SetPlan = { type: 'type ifname', elements: new Map() };
  const filter = inventory.all('intranet').get('filter')?.spec;
  const isClosed = filter !== undefined && filter.prefixes.length > 0 && !filter.dry_run;
  for (const { spec } of inventory.ports.values()) {
    const network = inventory.networks.get(spec.network_id)?.spec;
    if (isClosed && network && isWired(network)) wired.elements.set(`"${names.tap(spec.id)}"`, '');
  }
  if (wired.elements.size === 0)
    return { family: 'bridge', name: names.intranetTable, sets: new Map(), chains: new Map() };
  const hook = `type filter hook prerouting priority ${AFTER_GUARD}; policy accept;`;
  const rules = ['iifname @wired ether type != { ip, arp, ip6 } drop'];
  return {
    family: 'bridge',
    name: names.intranetTable,
    sets: new Map([['wired', wired]]),
    chains: new Map([['to_cables', { hook, rules }]]),
  };
}
