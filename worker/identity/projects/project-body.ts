import { z } from 'zod';
import { given } from '../../http/given.ts';
import { description, extraOf, fits, id, resourceOptions, shortName, TOO_MUCH, tags } from '../http/attributes.ts';

const attributes = {
  name: shortName,
  description: description.optional(),
  enabled: z.boolean().optional(),
  tags: tags.optional(),
  options: resourceOptions.optional(),
  domain_id: id.nullable().optional(),
  parent_id: id.nullable().optional(),
  is_domain: z.boolean().optional(),
};
const KNOWN = [...Object.keys(attributes), 'id', 'links'];

/** `project` of a POST. */
export const projectToCreate = z
  .looseObject(attributes)
  .refine(fits, TOO_MUCH)
  .transform((input) => ({
    name: input.name,
    isDomain: input.is_domain ?? false,
    domainId: input.domain_id ?? null,
    parentId: input.parent_id ?? null,
    ...given({ description: input.description, enabled: input.enabled, tags: input.tags }),
    ...given({ options: input.options, extra: extraOf(input, KNOWN) }),
  }));
export type ProjectToCreate = Omit<z.infer<typeof projectToCreate>, 'isDomain'>;

/** `project` of a PATCH: what is there is to be changed, but for the place, which may only be repeated. */
export const projectToUpdate = z
  .looseObject({ ...attributes, name: shortName.optional(), id: z.string().optional() })
  .refine((input) => Object.keys(input).length > 0, 'there is nothing to change')
  .refine(fits, TOO_MUCH)
  .transform(({ name, description, enabled, tags, options, ...rest }) => ({
    change: given({ name, description, enabled, tags, options, extra: extraOf(rest, KNOWN) }),
    place: given({ id: rest.id, domainId: rest.domain_id, parentId: rest.parent_id, isDomain: rest.is_domain }),
  }));
export type ProjectToUpdate = z.infer<typeof projectToUpdate>;
