import type { CarriedNetwork } from '../../network/networks/carried-networks.ts';
import type { Demand, HostTraits } from './demands.ts';

/** What a host says of itself where its kernel makes interfaces of 802.1Q ids. */
const VLAN_CAPABILITY = 'vlan';

/** What the networks of a server ask of its host: that it is on what carries them. */
export const networkDemands = (networks: readonly CarriedNetwork[]): Demand[] => networks.flatMap(demandsOf);

function demandsOf(network: CarriedNetwork): Demand[] {
  const { id, type, physicalNetwork } = network;
  const onCable: Demand = {
    refused: `not on the cables of network ${id}`,
    holds: (host) => physicalNetwork !== null && host.physicalNetworks.includes(physicalNetwork),
  };
  switch (type) {
    case 'local':
      return [];
    case 'flat':
      return [onCable];
    case 'vlan':
      return [
        onCable,
        {
          refused: `without 802.1Q for network ${id}`,
          holds: ({ capabilities }) => capabilities.includes(VLAN_CAPABILITY),
        },
      ];
    case 'vxlan':
      return [
        { refused: `without a tunnel to the guests of network ${id}`, holds: (host) => isReached(network, host) },
      ];
  }
}

/** A host without a tunnel has a network's guests alone or not at all. */
function isReached({ alone, used }: CarriedNetwork, { id, tunnelIp }: HostTraits): boolean {
  if (alone !== null) return id === alone;
  return tunnelIp !== null || used === 0;
}
