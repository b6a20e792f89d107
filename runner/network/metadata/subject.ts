import type { ServerSpec } from '../../../shared/specs/server.ts';
import { canonicalAddress, versionOf } from '../addresses.ts';
import type { Inventory } from '../inventory.ts';
import type { MetadataSubject } from './answer.ts';
import { type Attachment, networkData } from './network-data.ts';

/** The guest that has an address on a network, with all that it may know; null for a stranger. */
export function subjectOf(
  inventory: Inventory,
  networkId: string,
  address: string,
  randomSeed: () => string,
): MetadataSubject | null {
  const port = inventory
    .portsOf(networkId)
    .find(({ spec }) => spec.fixed_ips.some((fixed) => canonicalAddress(fixed.ip_address) === address));
  const server = port?.spec.server_id ? inventory.servers.get(port.spec.server_id) : undefined;
  if (!server?.spec.ports.includes(port?.spec.id ?? '')) return null;
  return describeGuest(inventory, server.spec, randomSeed());
}

/** All that a guest may know of itself. */
export function describeGuest(inventory: Inventory, server: ServerSpec, randomSeed: string): MetadataSubject {
  const attachments = server.ports.flatMap((id): Attachment[] => {
    const port = inventory.ports.get(id)?.spec;
    const network = port && inventory.networks.get(port.network_id)?.spec;
    return port && network ? [{ port, network }] : [];
  });
  const addresses = attachments.flatMap(({ port }) =>
    port.fixed_ips.map((fixed) => canonicalAddress(fixed.ip_address)),
  );
  const floating = [...inventory.all('floating-ip').values()].find(({ spec }) => server.ports.includes(spec.port_id));
  return {
    metadata: server.metadata,
    networkData: networkData(attachments),
    devices: attachments.flatMap(({ port }) => {
      const tag = server.metadata.device_tags?.[port.id];
      return tag === undefined ? [] : [{ mac: port.mac_address, tag }];
    }),
    randomSeed,
    imageId: server.image.id,
    fixedIpv4: addresses.find((address) => versionOf(address) === 4) ?? null,
    floatingIpv4: floating?.spec.floating_ip_address ?? null,
  };
}
