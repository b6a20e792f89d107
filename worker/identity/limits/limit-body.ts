import { z } from 'zod';
import { given } from '../../http/given.ts';
import { description } from '../http/attributes.ts';

const LIMIT_MAX = 0x7fff_ffff;
const LIMITS_MAX = 1_000;

/** -1 is no limit. */
const amount = z.number().int().min(-1, 'it is less than -1').max(LIMIT_MAX, `it is more than ${LIMIT_MAX}`);
const id = z.string().max(255);
const resource = { service_id: id, region_id: id.nullable().optional(), resource_name: z.string().min(1).max(255) };

/** `registered_limits` of a POST. */
export const registeredLimitsToCreate = z
  .array(z.strictObject({ ...resource, default_limit: amount, description: description.optional() }))
  .min(1, 'there is none')
  .max(LIMITS_MAX)
  .transform((all) =>
    all.map((input) => ({
      serviceId: input.service_id,
      regionId: input.region_id ?? '',
      resourceName: input.resource_name,
      defaultLimit: input.default_limit,
      description: input.description ?? null,
    })),
  );
export type RegisteredLimitsToCreate = z.infer<typeof registeredLimitsToCreate>;

/** `registered_limit` of a PATCH. */
export const registeredLimitToUpdate = z
  .strictObject({
    service_id: id.optional(),
    region_id: id.nullable().optional(),
    resource_name: resource.resource_name.optional(),
    default_limit: amount.optional(),
    description: description.optional(),
  })
  .refine((input) => Object.keys(input).length > 0, 'there is nothing to change')
  .transform((input) =>
    given({
      serviceId: input.service_id,
      regionId: input.region_id === null ? '' : input.region_id,
      resourceName: input.resource_name,
      defaultLimit: input.default_limit,
      description: input.description,
    }),
  );
export type RegisteredLimitToUpdate = z.infer<typeof registeredLimitToUpdate>;

/** `limits` of a POST: each of a project or a domain. */
export const limitsToCreate = z
  .array(
    z
      .strictObject({
        ...resource,
        project_id: id.nullable().optional(),
        domain_id: id.nullable().optional(),
        resource_limit: amount,
        description: description.optional(),
      })
      .refine((input) => Boolean(input.project_id) !== Boolean(input.domain_id), 'it is of a project or of a domain'),
  )
  .min(1, 'there is none')
  .max(LIMITS_MAX)
  .transform((all) =>
    all.map((input) => ({
      serviceId: input.service_id,
      regionId: input.region_id ?? '',
      resourceName: input.resource_name,
      projectId: input.project_id || null,
      domainId: input.domain_id || null,
      resourceLimit: input.resource_limit,
      description: input.description ?? null,
    })),
  );
export type LimitsToCreate = z.infer<typeof limitsToCreate>;

/** `limit` of a PATCH. */
export const limitToUpdate = z
  .strictObject({ resource_limit: amount.optional(), description: description.optional() })
  .refine((input) => Object.keys(input).length > 0, 'there is nothing to change')
  .transform((input) => given({ resourceLimit: input.resource_limit, description: input.description }));
export type LimitToUpdate = z.infer<typeof limitToUpdate>;
