import { z } from 'zod';
import { given } from '../../http/given.ts';
import { description, extraOf, fits, id, longName, resourceOptions, TOO_MUCH } from '../http/attributes.ts';

const attributes = {
  name: longName,
  description: description.optional(),
  domain_id: id.nullable().optional(),
  options: resourceOptions.optional(),
};
const KNOWN = [...Object.keys(attributes), 'id', 'links'];

/** `role` of a POST. */
export const roleToCreate = z
  .looseObject(attributes)
  .refine(fits, TOO_MUCH)
  .transform(({ name, description, domain_id, options, ...rest }) => ({
    name,
    domainId: domain_id ?? '',
    ...given({ description, options, extra: extraOf(rest, KNOWN) }),
  }));
export type RoleToCreate = z.infer<typeof roleToCreate>;

/** `role` of a PATCH: what is there is to be changed; id and domain may only be repeated. */
export const roleToUpdate = z
  .looseObject({ ...attributes, name: longName.optional(), id: z.string().optional() })
  .refine((input) => Object.keys(input).length > 0, 'there is nothing to change')
  .refine(fits, TOO_MUCH)
  .transform(({ name, description, options, ...rest }) => ({
    change: given({ name, description, options, extra: extraOf(rest, KNOWN) }),
    place: given({ id: rest.id, domainId: rest.domain_id }),
  }));
export type RoleToUpdate = z.infer<typeof roleToUpdate>;
