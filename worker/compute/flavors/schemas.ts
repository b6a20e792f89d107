import { z } from 'zod';
import type { Microversion } from '../http/microversion.ts';
import { boolean, INTEGER_MAX, integer, name, printable } from '../http/parameters.ts';

/** A flavor's description is a text column in Nova: 64 KiB. */
const DESCRIPTION_CHARS_MAX = 65_535;
const description = printable(DESCRIPTION_CHARS_MAX).nullable();

const flavorId = z
  .union([
    z
      .string()
      .min(1)
      .max(255)
      .regex(/^(?! )[a-zA-Z0-9. _-]+(?<! )$/),
    z.number(),
  ])
  .transform(String)
  .nullable();
/** The largest factor that a single-precision column holds. */
const RXTX_FACTOR_MAX = 3.40282e38;
const rxtxFactor = z
  .union([z.number(), z.string().regex(/^[0-9]+(\.[0-9]+)?$/)])
  .transform(Number)
  .pipe(z.number().positive().max(RXTX_FACTOR_MAX));

const create = z.strictObject({
  name,
  id: flavorId.optional(),
  ram: integer(1, INTEGER_MAX),
  vcpus: integer(1, INTEGER_MAX),
  disk: integer(0, INTEGER_MAX),
  'OS-FLV-EXT-DATA:ephemeral': integer(0, INTEGER_MAX).default(0),
  swap: integer(0, INTEGER_MAX).default(0),
  rxtx_factor: rxtxFactor.default(1),
  'os-flavor-access:is_public': boolean.default(true),
});
const createBody = z.strictObject({ flavor: create });
const createBody55 = z.strictObject({ flavor: create.extend({ description: description.optional() }) });
export type FlavorInput = z.infer<typeof createBody55>['flavor'];

/** The body of a create, by version. */
export const flavorCreateBody = (version: Microversion): z.ZodType<{ flavor: FlavorInput }> =>
  version >= 55 ? createBody55 : createBody;

export const flavorUpdateBody = z.strictObject({ flavor: z.strictObject({ description }) });

const EXTRA_SPEC_KEY = /^[a-zA-Z0-9\-_:. ]{1,255}$/;
const extraSpecs = z.record(z.string().regex(EXTRA_SPEC_KEY), z.union([z.string().max(255), z.number()]));
export const extraSpecsBody = z.strictObject({ extra_specs: extraSpecs });
export const extraSpecBody = extraSpecs.refine(
  (specs) => Object.keys(specs).length === 1,
  'One extra spec is taken at a time.',
);

const access = z.strictObject({
  tenant: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[a-zA-Z0-9-]*$/),
});
export const addAccessBody = z.strictObject({ addTenantAccess: access });
export const removeAccessBody = z.strictObject({ removeTenantAccess: access });
