import type { Kind } from '../../../shared/specs/kinds.ts';
import type { Driver } from '../../driver.ts';
import type { NetworkServices } from '../services.ts';

/** Routers and addresses of the world: rules first, then routes and addresses, so that nothing is open meanwhile. */
export function routingDriver<K extends Kind>(services: NetworkServices, kind: K): Driver<K> {
  const { inventory, firewall, routing } = services;
  let forwarded = new Set<string>();
  const sync = async () => {
    await firewall.sync();
    await routing.sync();
    // Where answers of forwarded ports go.
    const networks = new Set([...inventory.all('port-forwarding').values()].map(({ spec }) => spec.network_id));
    for (const id of [...networks, ...forwarded]) await services.syncNeighbors(id);
    forwarded = networks;
  };
  return {
    kind,
    async apply({ id, spec }) {
      await inventory.put(kind, id, spec);
      await sync();
      return { state: 'applied' };
    },
    async remove(id) {
      await inventory.drop(kind, id);
      await sync();
    },
    async observe(id) {
      return inventory.all(kind).has(id) ? { state: 'applied' } : null;
    },
    async list() {
      return [...inventory.all(kind).keys()];
    },
  };
}
