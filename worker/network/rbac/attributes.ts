import { owner, readOnly, required } from '../api/attributes.ts';
import { DESCRIPTION_LENGTH_MAX, invalidInput, type Parse, shown, text, uuid } from '../api/values.ts';
import { OBJECTS } from './objects.ts';
import { EVERYONE, type ObjectType } from './shared-with.ts';

const objectType: Parse<ObjectType> = (value) => {
  const word = typeof value === 'string' ? value.trim().toLowerCase() : '';
  if (!Object.hasOwn(OBJECTS, word)) throw invalidInput(`'${shown(value)}' is not a valid RBAC object type`);
  return word as ObjectType;
};

/** A project's id, with or without its dashes, or all. */
const PROJECT = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

const target: Parse<string> = (value) => {
  if (value === EVERYONE || (typeof value === 'string' && PROJECT.test(value))) return value;
  throw invalidInput(`'${shown(value)}' is not a valid target project ID; expected a UUID or '*'`);
};

/** The attributes of a policy, as POST takes them, and PUT its target. */
export const policyAttributes = {
  object_type: required(objectType),
  object_id: required(uuid),
  action: required(text(DESCRIPTION_LENGTH_MAX)),
  target_tenant: required(target, { put: true }),
  ...owner,
  id: readOnly,
} as const;
