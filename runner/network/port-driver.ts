import { type Driver, DriverError, type Outcome, type Wanted } from '../driver.ts';
import { findLink, listLinks } from '../host/links.ts';
import type { NetworkServices } from './services.ts';
import { ensureTap, removeTap } from './taps.ts';

/** Serves guests' ports: their rules first, then a tap, then their lease. */
export function portDriver(services: NetworkServices, ownerUid: number): Driver<'port'> {
  const { names, inventory, firewall } = services;
  return {
    kind: 'port',
    async apply({ id, spec }: Wanted<'port'>): Promise<Outcome> {
      if (!inventory.networks.has(spec.network_id))
        throw new DriverError(`Network ${spec.network_id} of port ${id} is not on this machine yet`);
      await inventory.put('port', id, spec);
      await firewall.sync();
      await ensureTap(names, spec, ownerUid);
      await services.syncNeighbors(spec.network_id);
      await services.syncDhcp(spec.network_id);
      return { state: 'applied' };
    },
    async remove(id) {
      const networkId = inventory.ports.get(id)?.spec.network_id;
      // The tap goes while its rules still hold.
      await removeTap(names, id);
      await inventory.drop('port', id);
      if (networkId) await services.syncNeighbors(networkId);
      await firewall.sync();
      if (networkId) await services.syncDhcp(networkId);
    },
    async observe(id) {
      const link = await findLink(names.tap(id));
      if (!link) return null;
      const spec = inventory.ports.get(id)?.spec;
      if (spec && link.master !== names.bridge(spec.network_id)) {
        return { state: 'failed', fault: { code: 500, message: 'The port is not on the bridge of its network' } };
      }
      return { state: 'applied' };
    },
    async list() {
      const ids = (await listLinks()).map((link) => names.idOf('port', link.alias));
      return [...new Set([...ids.filter((id) => id !== null), ...inventory.ports.keys()])];
    },
  };
}
