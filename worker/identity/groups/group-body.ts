import { z } from 'zod';
import { given } from '../../http/given.ts';
import { description, extraOf, fits, id, shortName, TOO_MUCH } from '../http/attributes.ts';

const attributes = { name: shortName, description: description.optional(), domain_id: id.optional() };
const KNOWN = [...Object.keys(attributes), 'id', 'links'];

/** `group` of a POST. */
export const groupToCreate = z
  .looseObject(attributes)
  .refine(fits, TOO_MUCH)
  .transform(({ name, description, domain_id, ...rest }) => ({
    name,
    domainId: domain_id ?? null,
    ...given({ description, extra: extraOf(rest, KNOWN) }),
  }));
export type GroupToCreate = z.infer<typeof groupToCreate>;

/** `group` of a PATCH: what is there is to be changed; id and domain may only be repeated. */
export const groupToUpdate = z
  .looseObject({ ...attributes, name: shortName.optional(), id: z.string().optional() })
  .refine((input) => Object.keys(input).length > 0, 'there is nothing to change')
  .refine(fits, TOO_MUCH)
  .transform(({ name, description, ...rest }) => ({
    change: given({ name, description, extra: extraOf(rest, KNOWN) }),
    place: given({ id: rest.id, domainId: rest.domain_id }),
  }));
export type GroupToUpdate = z.infer<typeof groupToUpdate>;
