import { z } from 'zod';
import { given } from '../../http/given.ts';
import { description, extraOf, fits, resourceOptions, shortName, TOO_MUCH, tags } from '../http/attributes.ts';

const attributes = {
  name: shortName,
  description: description.optional(),
  enabled: z.boolean().optional(),
  tags: tags.optional(),
  options: resourceOptions.optional(),
};
const KNOWN = [...Object.keys(attributes), 'id', 'links', 'explicit_domain_id', 'domain_id', 'parent_id', 'is_domain'];
const UUID4_HEX = /^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/;

/** `domain` of a POST. */
export const domainToCreate = z
  .looseObject({
    ...attributes,
    explicit_domain_id: z.string().regex(UUID4_HEX, 'it is not a UUID4 without dashes').optional(),
  })
  .refine(fits, TOO_MUCH)
  .transform((input) => ({
    name: input.name,
    ...given({ explicitId: input.explicit_domain_id, description: input.description, enabled: input.enabled }),
    ...given({ tags: input.tags, options: input.options, extra: extraOf(input, KNOWN) }),
  }));
export type DomainToCreate = z.infer<typeof domainToCreate>;

/** `domain` of a PATCH: what is there is to be changed. */
export const domainToUpdate = z
  .looseObject({ ...attributes, name: shortName.optional() })
  .refine((input) => Object.keys(input).length > 0, 'there is nothing to change')
  .refine(fits, TOO_MUCH)
  .transform(({ name, description, enabled, tags, options, ...rest }) =>
    given({ name, description, enabled, tags, options, extra: extraOf(rest, KNOWN) }),
  );
export type DomainToUpdate = z.infer<typeof domainToUpdate>;
