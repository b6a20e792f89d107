import { optional, owner, readOnly, required, unset } from '../api/attributes.ts';
import { boolean, integer, NAME_LENGTH_MAX, oneOf, text } from '../api/values.ts';

/** The attributes of an address scope, as POST and PUT take them. */
export const scopeAttributes = {
  name: optional(text(NAME_LENGTH_MAX), ''),
  ip_version: required(oneOf([4, 6], integer)),
  shared: unset(boolean),
  ...owner,
  id: readOnly,
} as const;
