import { z } from 'zod';
import { given } from '../../http/given.ts';
import { description, longName } from '../http/attributes.ts';

const filters = z
  .object({
    service_id: z.string(),
    region_id: z.string(),
    interface: z.enum(['public', 'internal', 'admin']),
  })
  .partial()
  .strict()
  .transform((input): Record<string, string> => given(input))
  .refine((input) => Object.keys(input).length > 0, 'filters field is required and cannot be empty');

/** `endpoint_group` of a POST. */
export const groupToCreate = z
  .looseObject({ name: longName, description: description.optional(), filters })
  .transform((input) => ({
    name: input.name,
    filters: input.filters,
    ...given({ description: input.description }),
  }));
export type GroupToCreate = z.infer<typeof groupToCreate>;

/** `endpoint_group` of a PATCH. */
export const groupToUpdate = z
  .looseObject({ name: longName.optional(), description: description.optional(), filters: filters.optional() })
  .refine((input) => Object.keys(input).length > 0, 'there is nothing to change')
  .transform((input) => given({ name: input.name, description: input.description, filters: input.filters }));
export type GroupToUpdate = z.infer<typeof groupToUpdate>;
