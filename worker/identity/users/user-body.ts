import { z } from 'zod';
import { given } from '../../http/given.ts';
import { federated } from '../federation/links.ts';
import { description, extraOf, fits, id, longName, TOO_MUCH } from '../http/attributes.ts';
import { PASSWORD_BYTES_MAX } from '../password.ts';

const EMAIL_CHARS_MAX = 320;

const password = z
  .string()
  .refine((text) => Buffer.byteLength(text) <= PASSWORD_BYTES_MAX, `it is longer than ${PASSWORD_BYTES_MAX} bytes`);
const option = z.boolean().nullable().optional();
/** `multi_factor_*` is refused rather than taken and not honoured. */
const options = z.strictObject({
  lock_password: option,
  ignore_change_password_upon_first_use: option,
  ignore_password_expiry: option,
  ignore_lockout_failure_attempts: option,
  ignore_user_inactivity: option,
});
const attributes = {
  name: longName,
  domain_id: id.optional(),
  default_project_id: id.nullable().optional(),
  password: password.nullable().optional(),
  email: z.string().max(EMAIL_CHARS_MAX).nullable().optional(),
  description: description.optional(),
  enabled: z.boolean().optional(),
  options: options.optional(),
  federated: federated.optional(),
};
const KNOWN = [...Object.keys(attributes), 'id', 'links', 'password_expires_at', 'original_password'];

/** `user` of a POST. */
export const userToCreate = z
  .looseObject(attributes)
  .refine(fits, TOO_MUCH)
  .transform(({ name, domain_id, default_project_id, password, email, description, enabled, options, ...rest }) => ({
    name,
    domainId: domain_id ?? null,
    password: password ?? null,
    links: rest.federated ?? [],
    ...given({ defaultProjectId: default_project_id, email, description, enabled, options }),
    ...given({ extra: extraOf(rest, KNOWN) }),
  }));
export type UserToCreate = z.infer<typeof userToCreate>;

/** `user` of a PATCH: what is there is to be changed; id and domain may only be repeated. */
export const userToUpdate = z
  .looseObject({ ...attributes, name: longName.optional(), id: z.string().optional() })
  .refine((input) => Object.keys(input).length > 0, 'there is nothing to change')
  .refine(fits, TOO_MUCH)
  .transform(({ name, default_project_id, password, email, description, enabled, options, ...rest }) => ({
    change: given({
      name,
      defaultProjectId: default_project_id,
      email,
      description,
      enabled,
      options,
      extra: extraOf(rest, KNOWN),
    }),
    ...given({ password, links: rest.federated }),
    place: given({ id: rest.id, domainId: rest.domain_id }),
  }));
export type UserToUpdate = z.infer<typeof userToUpdate>;

/** `user` of a POST to a user's own password. */
export const passwordChange = z
  .strictObject({ original_password: z.string().max(PASSWORD_BYTES_MAX), password })
  .transform((input) => ({ originalPassword: input.original_password, password: input.password }));
export type PasswordChange = z.infer<typeof passwordChange>;
