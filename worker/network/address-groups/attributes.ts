import { formatCidr, parseCidr } from '../../../shared/cidr.ts';
import { routeCidr } from '../api/addresses.ts';
import { optional, owner, readOnly, required, unset } from '../api/attributes.ts';
import { BadValue, listOf, NAME_LENGTH_MAX, type Parse, shown, text } from '../api/values.ts';

/** Ranges of one group; hosts are sent a group whole, and their spec has the same bound. */
export const ADDRESSES_MAX = 1000;
const DESCRIPTION_LENGTH_MAX = 1024;

/** A range, or an address as a range of one. */
const addressOrRange: Parse<string> = (value) => {
  const cidr = typeof value === 'string' ? parseCidr(value) : null;
  if (!cidr) throw new BadValue(`'${shown(value)}' is not a valid IP address or CIDR`);
  return formatCidr(cidr);
};

/** The attributes of an address group, as POST and PUT take them. */
export const addressGroupAttributes = {
  name: optional(text(NAME_LENGTH_MAX), ''),
  description: optional(text(DESCRIPTION_LENGTH_MAX), ''),
  addresses: unset(listOf(routeCidr, { max: ADDRESSES_MAX, noneIsEmpty: true }), { put: false }),
  ...owner,
  id: readOnly,
} as const;

/** What the actions on addresses take. */
export const addressesAttributes = { addresses: required(listOf(addressOrRange, { max: ADDRESSES_MAX })) } as const;
