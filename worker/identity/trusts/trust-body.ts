import { z } from 'zod';
import { given } from '../../http/given.ts';
import { extraOf, fits, TOO_MUCH } from '../http/attributes.ts';
import { moment } from '../http/time.ts';

const ROLES_MAX = 64;
const ID_CHARS_MAX = 64;

const attributes = {
  trustor_user_id: z.string().max(ID_CHARS_MAX),
  trustee_user_id: z.string().max(ID_CHARS_MAX),
  impersonation: z.boolean(),
  project_id: z.string().max(ID_CHARS_MAX).nullable().optional(),
  roles: z
    .array(z.union([z.object({ id: z.string() }), z.object({ name: z.string() })]))
    .max(ROLES_MAX)
    .optional(),
  expires_at: moment.nullable().optional(),
  remaining_uses: z.number().int().min(1, 'it is less than 1').nullable().optional(),
  allow_redelegation: z.boolean().nullable().optional(),
  redelegation_count: z.number().int().min(0, 'it is less than 0').nullable().optional(),
};
const KNOWN = [...Object.keys(attributes), 'id', 'links', 'redelegated_trust_id', 'deleted_at', 'roles_links'];

/** `trust` of a POST. */
export const trustToCreate = z
  .looseObject(attributes)
  .refine(fits, TOO_MUCH)
  .transform((input) => ({
    trustorUserId: input.trustor_user_id,
    trusteeUserId: input.trustee_user_id,
    impersonation: input.impersonation,
    projectId: input.project_id || null,
    roles: input.roles ?? [],
    expiresAtMs: input.expires_at?.ms ?? null,
    remainingUses: input.remaining_uses ?? null,
    redelegates: input.allow_redelegation === true && input.redelegation_count !== 0,
    redelegationCount: input.redelegation_count ?? null,
    ...given({ extra: extraOf(input, KNOWN) }),
  }));
export type TrustToCreate = z.infer<typeof trustToCreate>;
