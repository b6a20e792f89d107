import { optional, owner, readOnly, unset } from '../api/attributes.ts';
import {
  boolean,
  DESCRIPTION_LENGTH_MAX,
  emptyList,
  integerBetween,
  invalidInput,
  NAME_LENGTH_MAX,
  onlyNull,
  shown,
  text,
} from '../api/values.ts';

/** The smallest link that IPv4 works on, and the largest frame that hosts are asked for. */
const MTU_MIN = 68;
const MTU_MAX = 9216;

/** Networks of this stage live on each host by themselves: Neutron's type `local`. */
export const NETWORK_TYPE = 'local';

const networkType = (value: unknown): string => {
  if (value !== NETWORK_TYPE) throw invalidInput(`Unknown provider:network_type ${shown(value)}`);
  return NETWORK_TYPE;
};

/** The attributes of a network, as POST and PUT take them. */
export const networkAttributes = {
  name: optional(text(NAME_LENGTH_MAX), ''),
  description: optional(text(DESCRIPTION_LENGTH_MAX), ''),
  admin_state_up: optional(boolean, true),
  shared: unset(boolean),
  mtu: unset(integerBetween(MTU_MIN, MTU_MAX)),
  port_security_enabled: optional(boolean, true),
  'router:external': unset(boolean),
  'provider:network_type': unset(networkType, { put: false }),
  'provider:physical_network': unset(onlyNull, { put: false }),
  'provider:segmentation_id': unset(onlyNull, { put: false }),
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
