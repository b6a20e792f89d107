import { optional, owner, readOnly, required, unset } from '../api/attributes.ts';
import {
  boolean,
  DESCRIPTION_LENGTH_MAX,
  integer,
  integerBetween,
  NAME_LENGTH_MAX,
  oneOf,
  shown,
  text,
} from '../api/values.ts';

export const RATE_MAX = 2 ** 31 - 1;

/** The attributes of a policy, as POST and PUT take them. */
export const qosPolicyAttributes = {
  name: optional(text(NAME_LENGTH_MAX), ''),
  description: optional(text(DESCRIPTION_LENGTH_MAX), ''),
  shared: unset(boolean),
  is_default: unset(boolean),
  ...owner,
  id: readOnly,
  rules: readOnly,
  tags: readOnly,
  created_at: readOnly,
  updated_at: readOnly,
  revision_number: readOnly,
} as const;

const rate = integerBetween(0, RATE_MAX);
export const DIRECTIONS = ['egress', 'ingress'] as const;
const direction = oneOf(DIRECTIONS, (value) => (typeof value === 'string' ? value : shown(value)));

/** The marks of RFC 2474 that have a meaning, as Neutron has them. */
export const DSCP_MARKS = [
  0, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 44, 46, 48, 56,
] as const;

export const bandwidthLimitAttributes = {
  max_kbps: required(rate, { put: true }),
  max_burst_kbps: optional(rate, 0),
  direction: optional(direction, 'egress'),
  id: readOnly,
  tenant_id: readOnly,
} as const;

export const dscpMarkingAttributes = {
  dscp_mark: required(oneOf(DSCP_MARKS, integer), { put: true }),
  id: readOnly,
  tenant_id: readOnly,
} as const;
