import { ConstraintFailed } from '../../http/commit.ts';
import { type ApiError, conflict } from '../../http/errors.ts';
import { invalidInput, shown } from '../api/values.ts';
import type { Random } from '../ipam/random.ts';

/** VXLAN network identifiers that are handed out; 0 is left to whoever speaks without one. */
const VNI_MIN = 1;
const VNI_MAX = 0xff_ffff;
const VLAN_ID_MIN = 1;
const VLAN_ID_MAX = 4094;

/** What a project's network is made of where nobody says: nothing of it has to be set up before. */
const TYPE_DEFAULT = 'vxlan';
export const NETWORK_TYPES = ['vxlan', 'vlan', 'flat', 'local'] as const;
export type NetworkType = (typeof NETWORK_TYPES)[number];

/** The place on the wire that a create asks for: Neutron's provider attributes. */
export interface WantedSegment {
  type: NetworkType | undefined;
  physicalNetwork: string | null | undefined;
  id: number | null | undefined;
}

export interface Segment {
  networkType: NetworkType;
  physicalNetwork: string | null;
  segmentationId: number | null;
}

/**
 * A new network's place on the wire: as wanted, and where no id is named one by chance. Whether it is free, the database
 * decides (see `segmentTaken`).
 * @throws ApiError 400 in Neutron's words for what the type cannot have
 */
export function planSegment(wanted: WantedSegment, random: Random): Segment {
  const { type = TYPE_DEFAULT, physicalNetwork = null, id = null } = wanted;
  if (wanted.type === undefined && (physicalNetwork !== null || id !== null)) {
    throw invalidInput('network_type required');
  }
  const planned = { networkType: type, physicalNetwork, segmentationId: id };
  switch (type) {
    case 'vxlan':
      if (physicalNetwork !== null) throw invalidInput('provider:physical_network specified for vxlan network');
      return { ...planned, segmentationId: idBetween(id, VNI_MIN, VNI_MAX, random) };
    case 'vlan':
      if (physicalNetwork === null) throw invalidInput('physical_network required for VLAN provider network');
      return { ...planned, segmentationId: idBetween(id, VLAN_ID_MIN, VLAN_ID_MAX, random) };
    case 'flat':
      if (physicalNetwork === null) throw invalidInput('physical_network required for flat provider network');
      if (id !== null) throw invalidInput('segmentation_id prohibited for flat provider network');
      return planned;
    case 'local':
      if (physicalNetwork !== null || id !== null) {
        throw invalidInput('physical_network and segmentation_id prohibited for local provider network');
      }
      return planned;
  }
}

function idBetween(id: number | null, min: number, max: number, random: Random): number {
  if (id === null) return min + random.below(max - min + 1);
  if (id >= min && id <= max) return id;
  throw invalidInput(`segmentation_id out of range (${min} through ${max}): ${shown(id)}`);
}

/** Whether a batch failed because a segment is another network's. */
export const isSegmentTaken = (error: unknown): error is ConstraintFailed =>
  error instanceof ConstraintFailed &&
  /^networks\.region, networks\.(segmentation_id|physical_network)/.test(error.constraint);

/** The refusal of a segment that is another network's. */
export function segmentInUse({ type, physicalNetwork, id }: WantedSegment): ApiError {
  if (type === 'flat') {
    return conflict(
      `Unable to create the flat network. Physical network ${physicalNetwork} is in use.`,
      'FlatNetworkInUse',
    );
  }
  if (type === 'vlan') {
    return conflict(
      `Unable to create the network. The VLAN ${id} on physical network ${physicalNetwork} is in use.`,
      'VlanIdInUse',
    );
  }
  return conflict(`Unable to create the network. The tunnel ID ${id} is in use.`, 'TunnelIdInUse');
}
