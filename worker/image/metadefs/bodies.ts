import { z } from 'zod';
import { firstProblem } from '../../http/body.ts';
import { badRequest, forbidden } from '../../http/errors.ts';

/** Characters of names, titles and prefixes, as in Glance. */
const NAME_CHARS_MAX = 80;
const DESCRIPTION_CHARS_MAX = 500;
const OWNER_CHARS_MAX = 255;

const name = z.string().min(1).max(NAME_CHARS_MAX);
const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'] as const;
const strings = z.array(z.string());
const count = z.int().min(0);

const propertyMembers = {
  title: z.string(),
  type: z.enum(TYPES),
  description: z.string().optional(),
  operators: strings.optional(),
  required: strings.optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  maxLength: count.optional(),
  minLength: count.optional(),
  pattern: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  readonly: z.boolean().optional(),
  default: z.unknown().optional(),
  items: z.looseObject({ type: z.enum(TYPES).optional(), enum: z.array(z.unknown()).optional() }).optional(),
  maxItems: count.optional(),
  minItems: count.optional(),
  uniqueItems: z.boolean().optional(),
  additionalItems: z.boolean().optional(),
};
/** What lies within others may say more, as clients send back what they were shown; it is left out. */
const properties = z.record(name, z.object({ name: name.optional(), ...propertyMembers }));

const objectMembers = {
  name,
  description: z.string().optional(),
  required: strings.optional(),
  properties: properties.optional(),
};
const resourceTypeMembers = {
  name,
  prefix: z.string().max(NAME_CHARS_MAX).optional(),
  properties_target: z.string().max(NAME_CHARS_MAX).optional(),
};

const namespaceBody = z.strictObject({
  namespace: name,
  display_name: z.string().max(NAME_CHARS_MAX).optional(),
  description: z.string().max(DESCRIPTION_CHARS_MAX).optional(),
  visibility: z.enum(['public', 'private']).optional(),
  protected: z.boolean().optional(),
  owner: z.string().max(OWNER_CHARS_MAX).optional(),
  resource_type_associations: z.array(z.object(resourceTypeMembers)).optional(),
  properties: properties.optional(),
  objects: z.array(z.object(objectMembers)).optional(),
  tags: z.array(z.strictObject({ name })).optional(),
});

/** A body of each kind, by the name of its schema. */
export const METADEF_BODIES = {
  namespace: namespaceBody,
  object: z.strictObject(objectMembers),
  property: z.strictObject({ name, ...propertyMembers }),
  tag: z.strictObject({ name }),
  tags: z.strictObject({ tags: z.array(z.strictObject({ name })).optional() }),
  resource_type_association: z.strictObject(resourceTypeMembers),
};
export type NamespaceBody = z.infer<typeof namespaceBody>;

const READ_ONLY: Partial<Record<keyof typeof METADEF_BODIES, string[]>> = {
  namespace: ['self', 'schema', 'created_at', 'updated_at'],
  object: ['self', 'schema', 'created_at', 'updated_at'],
};

/**
 * A body, checked against the schema of that name.
 * @throws ApiError 400; 403 it sets what is read-only
 */
export function parseMetadef<Name extends keyof typeof METADEF_BODIES>(
  schema: Name,
  value: unknown,
): z.infer<(typeof METADEF_BODIES)[Name]> {
  const readOnly = READ_ONLY[schema] ?? ['created_at', 'updated_at'];
  const set = readOnly.find((member) => typeof value === 'object' && value !== null && member in value);
  if (set !== undefined) throw forbidden(`Attribute '${set}' is read-only.`);
  const parsed = METADEF_BODIES[schema].safeParse(value);
  if (!parsed.success) {
    throw badRequest(`Provided object does not match schema '${schema}': ${firstProblem(parsed.error)}`);
  }
  return parsed.data as z.infer<(typeof METADEF_BODIES)[Name]>;
}
