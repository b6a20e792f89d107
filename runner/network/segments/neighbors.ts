import {
  bridgeBatch,
  type ForwardingEntry,
  findLink,
  ipBatch,
  type Link,
  listAllForwarding,
  listAllPermanentNeighbors,
  listForwarding,
  listLinks,
  listMembers,
  listPermanentNeighbors,
} from '../../host/links.ts';
import type { Inventory } from '../inventory.ts';
import { holderMac, type Names } from '../names.ts';
import { portForwardingsOf } from '../routers/floating.ts';
import { type NeighborChanges, planNeighborChanges } from './plan-neighbors.ts';

/** Makes the kernel know a network's neighbors, and none that there are no more. */
export async function syncNeighbors(names: Names, inventory: Inventory, networkId: string): Promise<void> {
  const bridge = names.bridge(networkId);
  const [own, members] = await Promise.all([findLink(bridge), listMembers(bridge)]);
  const changes = await planOf(names, inventory, networkId, own ? [own, ...members] : [], {
    forwarding: listForwarding,
    addresses: listPermanentNeighbors,
  });
  await bridgeBatch(changes.forwarding);
  await ipBatch(changes.addresses);
}

/** Networks of whose neighbors the kernel knows something else, because somebody told it so, by id. */
export async function networksWithLostNeighbors(names: Names, inventory: Inventory): Promise<string[]> {
  const links = await listLinks();
  const [forwarding, addresses] = [await listAllForwarding(), await listAllPermanentNeighbors()];
  const known = {
    forwarding: async (link: string) => forwarding.get(link) ?? [],
    addresses: async (link: string) => addresses.get(link) ?? [],
  };
  const lost: string[] = [];
  for (const id of inventory.networks.keys()) {
    const changes = await planOf(names, inventory, id, links, known);
    if (changes.forwarding.length + changes.addresses.length > 0) lost.push(id);
  }
  return lost;
}

interface Known {
  forwarding(link: string): Promise<ForwardingEntry[]>;
  addresses(link: string): Promise<{ address: string; mac: string }[]>;
}

async function planOf(
  names: Names,
  inventory: Inventory,
  networkId: string,
  links: Link[],
  known: Known,
): Promise<NeighborChanges> {
  const network = inventory.networks.get(networkId)?.spec;
  const bridge = names.bridge(networkId);
  const here = new Set(links.filter((link) => link.master === bridge).map((link) => link.name));
  const device = network?.segment.type === 'vxlan' ? names.segment(networkId) : null;
  const isThere = links.some((link) => link.name === bridge) && (device === null || here.has(device));
  if (!network || !isThere) return { forwarding: [], addresses: [] };
  const neighbors = [...inventory.all('neighbor').values()]
    .map(({ spec }) => spec)
    .filter((spec) => spec.network_id === networkId);
  const ports = inventory
    .portsOf(networkId)
    .map(({ spec }) => spec)
    .filter((spec) => here.has(names.tap(spec.id)));
  const there = {
    forwarding: device === null ? [] : await known.forwarding(device),
    addresses: await known.addresses(bridge),
  };
  return planNeighborChanges(
    { names, bridge, device },
    there,
    [...neighbors, ...holdersOf(inventory, networkId)],
    ports,
  );
}

/** Where answers of forwarded ports go to other machines. */
function holdersOf(inventory: Inventory, networkId: string) {
  return portForwardingsOf(inventory).flatMap((one) =>
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
}
