import { routeCidr } from '../api/addresses.ts';
import { optional, owner, readOnly, required, unset } from '../api/attributes.ts';
import {
  BadValue,
  boolean,
  DESCRIPTION_LENGTH_MAX,
  integerBetween,
  listOf,
  NAME_LENGTH_MAX,
  nullOr,
  type Parse,
  text,
  uuid,
} from '../api/values.ts';

/** Prefixes of one pool, and lengths of a prefix of IPv6. */
const PREFIXES_MAX = 200;
const PREFIX_LENGTH_MAX = 128;
const QUOTA_MAX = 2 ** 31 - 1;

export const prefixes = listOf(routeCidr, { max: PREFIXES_MAX });

const name: Parse<string> = (value) => {
  const given = text(NAME_LENGTH_MAX)(value);
  if (given.trim() === '') throw new BadValue(`'${given}' Blank strings are not permitted`);
  return given;
};

/** Lengths that the addresses do not have are refused with the pool. */
const prefixLength = unset(integerBetween(0, PREFIX_LENGTH_MAX * 2));

/** The attributes of a subnet pool, as POST and PUT take them. */
export const poolAttributes = {
  name: required(name, { put: true }),
  description: optional(text(DESCRIPTION_LENGTH_MAX), ''),
  prefixes: required(prefixes, { put: true }),
  default_quota: unset(nullOr(integerBetween(0, QUOTA_MAX))),
  default_prefixlen: prefixLength,
  min_prefixlen: prefixLength,
  max_prefixlen: prefixLength,
  is_default: unset(boolean),
  shared: unset(boolean, { put: false }),
  address_scope_id: unset(nullOr(uuid)),
  ...owner,
  id: readOnly,
  ip_version: readOnly,
  tags: readOnly,
  created_at: readOnly,
  updated_at: readOnly,
  revision_number: readOnly,
} as const;
