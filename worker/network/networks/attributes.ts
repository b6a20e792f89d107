import { optional, owner, readOnly, unset } from '../api/attributes.ts';
import {
  BadValue,
  boolean,
  DESCRIPTION_LENGTH_MAX,
  emptyList,
  integer,
  integerBetween,
  invalidInput,
  NAME_LENGTH_MAX,
  nullOr,
  shown,
  text,
  uuid,
} from '../api/values.ts';
import { NETWORK_TYPES, type NetworkType } from './plan-segment.ts';

/** The smallest link that IPv4 works on, and the largest frame that hosts are asked for. */
const MTU_MIN = 68;
export const MTU_MAX = 9216;

const PHYSICAL_NETWORK_LENGTH_MAX = 64;

const networkType = (value: unknown): NetworkType => {
  const found = NETWORK_TYPES.find((type) => type === value);
  if (found === undefined) throw invalidInput(`Unknown provider:network_type ${shown(value)}`);
  return found;
};

const physicalNetwork = (value: unknown): string => {
  const name = text(PHYSICAL_NETWORK_LENGTH_MAX)(value);
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)) throw new BadValue(`'${name}' is no name of a physical network`);
  return name;
};

/** The attributes of a network, as POST and PUT take them. */
export const networkAttributes = {
  name: optional(text(NAME_LENGTH_MAX), ''),
  description: optional(text(DESCRIPTION_LENGTH_MAX), ''),
  admin_state_up: optional(boolean, true),
  shared: unset(boolean),
  mtu: unset(integerBetween(MTU_MIN, MTU_MAX)),
  port_security_enabled: optional(boolean, true),
  qos_policy_id: unset(nullOr(uuid)),
  'router:external': unset(boolean),
  'provider:network_type': unset(networkType, { put: false }),
  'provider:physical_network': unset(nullOr(physicalNetwork), { put: false }),
  'provider:segmentation_id': unset(nullOr(integer), { put: false }),
  /** Ours: each machine is the gateway of its own guests. */
  multi_host: unset(boolean),
  is_default: unset(boolean),
  availability_zone_hints: unset(emptyList, { put: false }),
  ...owner,
  id: readOnly,
  status: readOnly,
  subnets: readOnly,
  availability_zones: readOnly,
  ipv4_address_scope: readOnly,
  ipv6_address_scope: readOnly,
  tags: readOnly,
  created_at: readOnly,
  updated_at: readOnly,
  revision_number: readOnly,
} as const;
