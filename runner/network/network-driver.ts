import type { Driver, Outcome, Wanted } from '../driver.ts';
import { findLink, listLinks } from '../host/links.ts';
import { removeBridge } from './bridges.ts';
import { isConnected, removeSegment } from './segments/segments.ts';
import type { NetworkServices } from './services.ts';

/** Serves networks: a bridge with the gateway's addresses, routing of its own, metadata, DHCP. */
export function networkDriver(services: NetworkServices): Driver<'network'> {
  const { names, inventory, firewall, routing, metadata, dhcp, uplinks } = services;
  return {
    kind: 'network',
    async apply({ id, spec }: Wanted<'network'>): Promise<Outcome> {
      await inventory.put('network', id, spec);
      // What it must not send stands before it can send anything.
      await firewall.sync();
      await services.ensureLinks(id);
      firewall.metadataPorts.set(id, await metadata.listen(id));
      await firewall.sync();
      await routing.sync();
      await services.syncDhcp(id);
      return { state: 'applied' };
    },
    async remove(id) {
      const number = inventory.networks.get(id)?.number;
      await services.alone(id, async () => {
        await inventory.drop('network', id);
        await dhcp.remove(id);
        await metadata.stop(id);
        await removeSegment(names, id);
        await removeBridge(names.bridge(id), number === undefined ? null : names.routingTable(number));
      });
      firewall.metadataPorts.delete(id);
      await firewall.sync();
      await routing.sync();
    },
    async observe(id) {
      const link = await findLink(names.bridge(id));
      if (!link) return null;
      const network = inventory.networks.get(id);
      if (!network) return { state: 'applied' };
      if (!(await isConnected(names, network.spec, uplinks))) {
        return { state: 'failed', fault: { code: 500, message: 'The network is not connected to other machines' } };
      }
      const wantsDhcp = network.spec.subnets.some((subnet) => subnet.enable_dhcp);
      if (wantsDhcp && !(await dhcp.isRunning(id))) {
        return { state: 'failed', fault: { code: 500, message: 'The DHCP server of the network has ended' } };
      }
      return { state: 'applied' };
    },
    async list() {
      const ids = (await listLinks()).map((link) => names.idOf('network', link.alias));
      return [...new Set([...ids.filter((id) => id !== null), ...inventory.networks.keys()])];
    },
  };
}
