import type { Driver } from '../../driver.ts';
import { gathered, pause } from '../../host/wait.ts';
import type { NetworkServices } from '../services.ts';

/** Neighbors come by the hundred, when a machine gets its first port of a large network: those that come within this go together. */
const GATHER_MS = 20;

/** Serves neighbors: where frames for other machines' ports go, and who answers for their addresses. */
export function neighborDriver(services: NetworkServices): Driver<'neighbor'> {
  const { inventory, firewall } = services;
  const changed = new Set<string>();
  const settle = gathered(async () => {
    await pause(GATHER_MS);
    const networkIds = [...changed];
    changed.clear();
    // Whose frames are let out of tunnels, before frames for them go in.
    await firewall.sync();
    await Promise.all(networkIds.map((id) => services.syncNeighbors(id)));
  });
  return {
    kind: 'neighbor',
    async apply({ id, spec }) {
      const before = inventory.all('neighbor').get(id)?.spec.network_id;
      await inventory.put('neighbor', id, spec);
      changed.add(before ?? spec.network_id).add(spec.network_id);
      await settle();
      return { state: 'applied' };
    },
    async remove(id) {
      const before = inventory.all('neighbor').get(id)?.spec.network_id;
      await inventory.drop('neighbor', id);
      if (before) changed.add(before);
      await settle();
    },
    async observe(id) {
      return inventory.all('neighbor').has(id) ? { state: 'applied' } : null;
    },
    async list() {
      return [...inventory.all('neighbor').keys()];
    },
  };
}
