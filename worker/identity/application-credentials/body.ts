import { z } from 'zod';
import { given } from '../../http/given.ts';
import { description, longName } from '../http/attributes.ts';
import { moment } from '../http/time.ts';

const PATH_CHARS_MAX = 225;
const ROLES_MAX = 64;
const SECRET_CHARS_MAX = 255;
/** Rules travel with each token, so they are few and short. */
const ACCESS_RULES_CHARS_MAX = 3_072;

const role = z.union([z.object({ id: z.string() }), z.object({ name: z.string() })]);

const rule = z.strictObject({
  id: z.string().max(64).optional(),
  service: z.string().max(64).optional(),
  method: z.enum(['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT']).optional(),
  path: z.string().max(PATH_CHARS_MAX).regex(/^\//, 'a path begins with a slash').optional(),
});
type Rule = z.infer<typeof rule>;

const complete = ({ id, service, method, path }: Rule) =>
  id !== undefined || (service !== undefined && method !== undefined && path !== undefined);

/** `application_credential` of a POST. */
export const applicationCredentialToCreate = z
  .looseObject({
    name: longName,
    description: description.optional(),
    secret: z.string().min(1).max(SECRET_CHARS_MAX).nullable().optional(),
    expires_at: moment.nullable().optional(),
    roles: z.array(role).max(ROLES_MAX).optional(),
    unrestricted: z.boolean().nullable().optional(),
    access_rules: z
      .array(rule.refine(complete, 'a rule has a service, a method and a path, or an id'))
      .refine((rules) => JSON.stringify(rules).length <= ACCESS_RULES_CHARS_MAX, 'there are too many rules')
      .optional(),
  })
  .transform((input) => ({
    name: input.name,
    secret: input.secret ?? null,
    expires: input.expires_at ?? null,
    roles: input.roles ?? [],
    unrestricted: input.unrestricted ?? false,
    accessRules: input.access_rules ?? null,
    ...given({ description: input.description }),
  }));
export type ApplicationCredentialToCreate = z.infer<typeof applicationCredentialToCreate>;
