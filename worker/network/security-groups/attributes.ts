import { conflict } from '../../http/errors.ts';
import { optional, owner, readOnly, required, unset } from '../api/attributes.ts';
import {
  boolean,
  DESCRIPTION_LENGTH_MAX,
  NAME_LENGTH_MAX,
  nullOr,
  oneOf,
  type Parse,
  shown,
  text,
} from '../api/values.ts';
import { DEFAULT_GROUP_NAME } from './new-group.ts';
import { ethertype, ipPrefix, portValue, protocol } from './rule-values.ts';

const groupName: Parse<string> = (value) => {
  const name = text(NAME_LENGTH_MAX)(value);
  if (name.toLowerCase() === DEFAULT_GROUP_NAME) {
    throw conflict('Default security group already exists.', 'SecurityGroupDefaultAlreadyExists');
  }
  return name;
};

/** The attributes of a security group, as POST and PUT take them. */
export const groupAttributes = {
  name: optional(groupName, ''),
  description: optional(text(DESCRIPTION_LENGTH_MAX), ''),
  stateful: unset(boolean),
  ...owner,
  id: readOnly,
  security_group_rules: readOnly,
  shared: readOnly,
  tags: readOnly,
  created_at: readOnly,
  updated_at: readOnly,
  revision_number: readOnly,
} as const;

/** Ids are looked up as they come: what is none is not found. */
const ID_LENGTH_MAX = 36;

const direction = oneOf(['ingress', 'egress'], (value) => (typeof value === 'string' ? value : shown(value)));

/** Clients send an empty text for no value. */
const orNothing =
  <T>(parse: Parse<T>): Parse<T | null> =>
  (value) =>
    value === '' ? null : nullOr(parse)(value);

/** The attributes of a rule, as POST takes them, and PUT its description. */
export const ruleAttributes = {
  security_group_id: required(text(ID_LENGTH_MAX)),
  direction: required(direction),
  ethertype: optional(ethertype, 'IPv4', { put: false }),
  protocol: optional(protocol, null, { put: false }),
  port_range_min: optional(portValue, null, { put: false }),
  port_range_max: optional(portValue, null, { put: false }),
  remote_ip_prefix: optional(orNothing(ipPrefix), null, { put: false }),
  remote_group_id: optional(orNothing(text(ID_LENGTH_MAX)), null, { put: false }),
  remote_address_group_id: optional(orNothing(text(ID_LENGTH_MAX)), null, { put: false }),
  description: optional(orNothing(text(DESCRIPTION_LENGTH_MAX)), ''),
  ...owner,
  id: readOnly,
  normalized_cidr: readOnly,
  belongs_to_default_sg: readOnly,
  tags: readOnly,
  created_at: readOnly,
  updated_at: readOnly,
  revision_number: readOnly,
} as const;
