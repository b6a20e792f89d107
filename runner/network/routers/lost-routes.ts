import { listNumberedRoutes, listRules } from '../../host/links.ts';
import { versionOf } from '../addresses.ts';
import type { Inventory } from '../inventory.ts';
import type { Names } from '../names.ts';
import { type BridgePlan, planBridge } from '../plan-bridge.ts';
import { ownAddressesOf } from './own-addresses.ts';

/** Networks of which somebody took routes or routing rules from the kernel, by id. */
export async function networksWithLostRoutes(names: Names, inventory: Inventory): Promise<Set<string>> {
  const lost = new Set<string>();
  for (const family of [4, 6] as const) {
    const routes = new Set((await listNumberedRoutes(family)).map(({ table, prefix }) => `${table} ${prefix}`));
    const rules = new Set((await listRules(family)).map(({ selector, table }) => `${selector} ${table}`));
    for (const [id, { spec, number }] of inventory.networks) {
      const plan = planBridge(names, spec, number, ownAddressesOf(inventory, id));
      const prefixes = prefixesOf(plan, family);
      const tables = plan.hostAccess ? [plan.table, names.routingTable(0)] : [plan.table];
      const hasRoutes = tables.every((table) => prefixes.every((prefix) => routes.has(`${table} ${prefix}`)));
      const hasRules =
        prefixes.length === 0 ||
        (rules.has(`fwmark ${plan.mark} ${plan.table}`) &&
          rules.has(`oif ${plan.name} ${plan.table}`) &&
          (family === 6 || rules.has(`iif ${plan.name} ${plan.table}`)) &&
          rules.has(`iif lo ${names.routingTable(0)}`));
      if (!hasRoutes || !hasRules) lost.add(id);
    }
  }
  return lost;
}

const prefixesOf = ({ local, routes }: BridgePlan, family: 4 | 6): string[] => [
  ...local.filter((address) => versionOf(address) === family),
  ...routes.filter(({ version }) => version === family).map(({ cidr }) => cidr),
];
