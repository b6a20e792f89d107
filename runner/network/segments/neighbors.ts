import { bridgeBatch, ipBatch, listForwarding, listLinks, listPermanentNeighbors } from '../../host/links.ts';
import type { Inventory } from '../inventory.ts';
import { holderMac, type Names } from '../names.ts';
import { portForwardingsOf } from '../routers/floating.ts';
import { planNeighborChanges } from './plan-neighbors.ts';

/** Makes the kernel know a network's neighbors, and none that there are no more. */
export async function syncNeighbors(names: Names, inventory: Inventory, networkId: string): Promise<void> {
  const network = inventory.networks.get(networkId)?.spec;
  if (!network) return;
  const links = await listLinks();
  const bridge = names.bridge(networkId);
  const here = new Set(links.filter((link) => link.master === bridge).map((link) => link.name));
  if (!links.some((link) => link.name === bridge)) return;
  const device = network.segment.type === 'vxlan' ? names.segment(networkId) : null;
  if (device !== null && !here.has(device)) return;
  const neighbors = [...inventory.all('neighbor').values()]
    .map(({ spec }) => spec)
    .filter((spec) => spec.network_id === networkId);
  const holders = portForwardingsOf(inventory).flatMap((one) =>
    one.network_id !== networkId || one.holder || one.holder_tunnel_ip === null
      ? []
      : [
          {
            mac_address: holderMac(networkId, one.floating_ip_address),
            addresses: [],
            tunnel_ip: one.holder_tunnel_ip,
          },
        ],
  );
  const ports = inventory
    .portsOf(networkId)
    .map(({ spec }) => spec)
    .filter((spec) => here.has(names.tap(spec.id)));
  const known = {
    forwarding: device === null ? [] : await listForwarding(device),
    addresses: await listPermanentNeighbors(bridge),
  };
  const changes = planNeighborChanges({ names, bridge, device }, known, [...neighbors, ...holders], ports);
  await bridgeBatch(changes.forwarding);
  await ipBatch(changes.addresses);
}
